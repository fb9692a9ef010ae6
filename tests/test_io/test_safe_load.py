"""Checkpoints are data: read whole, refused when they would run code, explained when they are damaged."""

import io
import os
import pickle
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader
from safetensors.torch import save_file
from torch.utils.data import DataLoader

from lgd_mm.compat.checkpoints import refuse_unsafe_checkpoints
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file


class Line(BaseModel):
    """The smallest model that a Runner trains."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(2, 1)

    def forward(self, inputs: torch.Tensor, data_samples: object = None, mode: str = 'tensor') -> dict:
        return dict(loss=self.linear(inputs.float()).square().mean())


def train(work_dir: Path, epochs: int, **more: object) -> Runner:
    pictures = [dict(inputs=torch.full((2,), float(i)), data_samples=None) for i in range(4)]
    loader = DataLoader(
        pictures,
        batch_size=2,
        collate_fn=lambda batch: dict(inputs=torch.stack([item['inputs'] for item in batch]), data_samples=None),
    )
    runner = Runner(
        Line(),
        str(work_dir),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01, momentum=0.9)),
        param_scheduler=dict(type='MultiStepLR', milestones=[5]),
        log_level='ERROR',
        experiment_name=f'{work_dir.name}-{epochs}',
        **more,
    )
    runner.train()
    return runner


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint as the Runner writes it, message hub and optimiser included."""
    folder = tmp_path_factory.mktemp('runner')
    train(folder, 1)
    return folder / 'epoch_1.pth'


class Touch:
    """Unpickled without care, this makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return os.system, (f'touch {self.path}',)


class Reach:
    """Unpickled with a free ``getattr``, this leads to a module's globals."""

    def __reduce__(self) -> tuple:
        return getattr, (HistoryBuffer, '__init__')


def test_runner_checkpoint_is_read_whole(checkpoint: Path) -> None:
    loaded = load_checkpoint_file(checkpoint)
    assert loaded['meta']['epoch'] == 1
    assert loaded['state_dict']['linear.weight'].shape == (1, 2)
    assert loaded['optimizer']['state'][0]['momentum_buffer'].shape == (1, 2)
    losses = loaded['message_hub']['log_scalars']['train/loss']
    assert isinstance(losses, HistoryBuffer) and len(losses.data[0]) == 2
    assert losses.statistics('mean') == pytest.approx(losses.data[0].mean())


def test_runner_resumes_through_the_safe_loader(checkpoint: Path, tmp_path: Path) -> None:
    runner = train(tmp_path, 2, load_from=str(checkpoint), resume=True)
    assert runner.epoch == 2 and runner.iter == 4


def test_numpy_scalars_and_arrays_are_data(tmp_path: Path) -> None:
    saved = dict(best=np.float64(0.25), count=np.int64(3), names=np.arange(4, dtype=np.float32))
    torch.save(saved, tmp_path / 'a.pth')
    loaded = load_checkpoint_file(tmp_path / 'a.pth')
    assert loaded['best'] == 0.25 and loaded['count'] == 3
    np.testing.assert_array_equal(loaded['names'], saved['names'])


@pytest.mark.parametrize('write', [torch.save, lambda data, path: path.write_bytes(pickle.dumps(data, 2))])
@pytest.mark.parametrize('read', [load_checkpoint_file, CheckpointLoader.load_checkpoint])
def test_hostile_pickle_is_refused_and_not_run(tmp_path: Path, write, read) -> None:
    path = tmp_path / 'hostile.pth'
    write(dict(state_dict=Touch(tmp_path / 'ran')), path)
    with pytest.raises(UserError, match=r'hostile\.pth would run code \(posix\.system\)'):
        read(str(path))
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_another_kind_is_refused_without_advice_to_run_it(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / 'raw.pkl'
    path.write_bytes(pickle.dumps(Touch(tmp_path / 'ran'), protocol))
    with pytest.raises(UserError, match='raw.pkl (would run code|is cut off .*torch.save writes no such)') as told:
        load_checkpoint_file(path)
    assert 'weights_only' not in str(told.value) and not (tmp_path / 'ran').exists()


def test_hostile_pickle_is_refused_from_an_open_file(tmp_path: Path) -> None:
    from mmengine.runner import checkpoint as engine

    buffer = io.BytesIO()
    torch.save(Touch(tmp_path / 'ran'), buffer)
    buffer.seek(0)
    with pytest.raises(UserError, match='would run code'):
        engine._safe_torch_load(buffer, map_location='cpu')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('scheme', ['http', 'torchvision', 'open-mmlab'])
@pytest.mark.parametrize('zipped', [True, False])
def test_hostile_pickle_is_refused_from_a_url(tmp_path: Path, monkeypatch, scheme: str, zipped: bool) -> None:
    from mmengine.runner import checkpoint as engine

    url = 'http://localhost/hostile.pth'
    monkeypatch.setattr(engine, 'get_torchvision_models', lambda: {'name': url})
    monkeypatch.setattr(engine, 'get_external_models', lambda: {'name': url})
    monkeypatch.setattr(engine, 'get_deprecated_model_names', lambda: {})
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    cached = tmp_path / 'hub/checkpoints/hostile.pth'  # as if it had been downloaded
    cached.parent.mkdir(parents=True)
    torch.save(dict(state_dict=Touch(tmp_path / 'ran')), cached, _use_new_zipfile_serialization=zipped)
    name = url if scheme == 'http' else f'{scheme}://name'
    with pytest.raises(UserError, match=rf'{url} would run code \(posix\.system\)'):
        CheckpointLoader.load_checkpoint(name)
    assert not (tmp_path / 'ran').exists()

    torch.save(dict(state_dict=dict(weight=torch.ones(2)), best=np.float64(0.5)), cached)
    assert CheckpointLoader.load_checkpoint(name)['best'] == 0.5


@pytest.mark.parametrize('name', ['_safe_torch_load', 'load_url'])
def test_an_mmengine_with_other_loaders_is_refused(name: str) -> None:
    others = {'_safe_torch_load': None, 'load_url': None}
    del others[name]
    with pytest.raises(ImportError, match=f'^mmengine [0-9.]+ reads checkpoints in another way .*no checkpoint.{name}'):
        refuse_unsafe_checkpoints(SimpleNamespace(__name__='checkpoint', **others))  # type: ignore[arg-type]


def test_a_url_is_no_file() -> None:
    with pytest.raises(UserError, match=r'^https://a\.b/c\.pth is a URL, not a file: download it first'):
        load_checkpoint_file('https://a.b/c.pth')


def test_getattr_reaches_nothing_but_statistics(tmp_path: Path) -> None:
    torch.save(dict(meta=Reach()), tmp_path / 'reach.pth')
    with pytest.raises(UserError, match='would run code'):
        load_checkpoint_file(tmp_path / 'reach.pth')


@pytest.mark.parametrize('kept', [0.0, 0.01, 0.5, 0.99])
@pytest.mark.parametrize('zipped', [True, False])
def test_cut_off_checkpoint(checkpoint: Path, tmp_path: Path, kept: float, zipped: bool) -> None:
    path = tmp_path / 'cut.pth'
    torch.save(torch.load(checkpoint, weights_only=False), path, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(UserError, match=r'cut\.pth is cut off or not a checkpoint'):
        load_checkpoint_file(path)


@pytest.mark.parametrize(
    'content', [b'hello', b'<html><body>404</body></html>', bytes(range(256)), b'\x80\x02.', b'PK']
)
def test_other_files_are_no_checkpoints(tmp_path: Path, content: bytes) -> None:
    (tmp_path / 'other.pth').write_bytes(content)
    with pytest.raises(UserError, match=r'other\.pth is cut off or not a checkpoint'):
        load_checkpoint_file(tmp_path / 'other.pth')


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r'no\.pth does not exist'):
        load_checkpoint_file(tmp_path / 'no.pth')
    with pytest.raises(UserError, match='cannot be read: Is a directory'):
        load_checkpoint_file(tmp_path)


def test_a_bare_tensor_is_no_checkpoint(tmp_path: Path) -> None:
    torch.save(torch.zeros(2), tmp_path / 'tensor.pth')
    with pytest.raises(UserError, match='holds a Tensor, not a checkpoint'):
        load_checkpoint_file(tmp_path / 'tensor.pth')


@pytest.mark.parametrize('name', ['student.safetensors', 'student.pth'])
def test_safetensors_is_told_by_its_content(tmp_path: Path, name: str) -> None:
    save_file({'backbone.weight': torch.arange(3.0)}, tmp_path / name, metadata=dict(teacher='RN50'))
    loaded = load_checkpoint_file(tmp_path / name)
    assert loaded['meta'] == dict(teacher='RN50')
    torch.testing.assert_close(loaded['state_dict'], {'backbone.weight': torch.arange(3.0)})
    assert CheckpointLoader.load_checkpoint(str(tmp_path / name), map_location='cpu')['meta'] == dict(teacher='RN50')


@pytest.mark.parametrize('kept', [0, 5, 20, -4])
def test_cut_off_safetensors(tmp_path: Path, kept: int) -> None:
    path = tmp_path / 'student.safetensors'
    save_file({'weight': torch.zeros(100)}, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UserError, match='is cut off or not a checkpoint'):
        load_checkpoint_file(path)
