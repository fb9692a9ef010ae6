"""The folder of a run that somebody sent, or that was damaged: one sentence, and nothing waits or fills the memory."""

import json
import os
import resource

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from safetensors.torch import save_file

from lgd_mm.engine.report_work_dir import report_work_dir
from lgd_mm.errors import UserError
from lgd_mm.runs.checkpoints import latest_checkpoint
from lgd_mm.runs.measures import gpu_name, images_per_second
from lgd_mm.zoo.finished import read_run

RESNET = dict(type='mmpretrain.ResNet', depth=18, stem_channels=2, base_channels=2)
MODEL = dict(type='ImageClassifier', backbone=RESNET)
STARTED = '20200101_000000'


@pytest.fixture(scope='module')
def state():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        import mmpretrain.models  # noqa: F401
        return MODELS.build(dict(MODEL)).state_dict()


@pytest.fixture
def run(state, tmp_path):
    """Writes a run, with something changed."""

    def write(settings='', start=f"default_scope = 'mmpretrain'\nmodel = {MODEL!r}\n", student=None, **meta):
        text = f'{start}{settings}\n'
        meta = {key: value for key, value in dict(dict(iter=1, epoch=1, cfg=text), **meta).items() if value != 'none'}
        torch.save(dict(meta=meta, state_dict=state), tmp_path / 'epoch_1.pth')
        (tmp_path / 'last_checkpoint').write_text('epoch_1.pth')
        (tmp_path / 'config.py').write_text(text)
        if student is not None:
            known = dict(mean=[0., 0., 0.], std=[1., 1., 1.], backbone=RESNET, image_size=32, teacher=None,
                         vocabulary_digest=None, lgd_mm='1', iteration=1)
            known = {key: value for key, value in dict(known, **student).items() if value != 'none'}
            save_file({key: value for key, value in state.items() if key.startswith('backbone.')},
                      tmp_path / 'student.safetensors',
                      metadata={'format': 'pt', **{key: json.dumps(value) for key, value in known.items()}})
        (tmp_path / STARTED / 'vis_data').mkdir(parents=True)
        (tmp_path / f'{STARTED}/vis_data/scalars.json').write_text('{"accuracy/top1": 5.0, "step": 1}\n')
        return tmp_path

    return write


@pytest.mark.parametrize('settings, dataset', [
    ('train_cfg = 5', 'None'), ('train_cfg = [1]', 'None'), ('val_dataloader = [1]', 'None'),
    ('val_dataloader = dict(dataset="x")', 'None'), ('val_dataloader = dict(dataset=dict(data_root=5))', '5'),
    ('val_dataloader = dict(dataset=dict(data_root="a/b/"))', 'b')])
def test_settings_of_another_kind(settings, dataset, run):
    results = read_run(run(settings), 'x')[0].results
    assert results == dict(Task='Image Classification', Dataset=dataset, Metrics={'accuracy/top1': 5.0})


@pytest.mark.parametrize('scope', ['["mmdet"]', '{}', '5', 'None', '"os"'])
def test_scopes_of_another_kind(scope, run):
    with pytest.raises(UserError, match='epoch_1.pth is of default_scope'):
        read_run(run(start=f'default_scope = {scope}\nmodel = dict(type="X")\n'), 'x')


@pytest.mark.parametrize('value', ['none', None, 'x', -1, 2**70, True, [1]])
def test_iterations_of_a_checkpoint(value, run):
    with pytest.raises(UserError, match='epoch_1.pth does not say how many iterations'):
        read_run(run(iter=value), 'x')


@pytest.mark.parametrize('changes, said', [
    *((dict(iteration=value), 'does not say how many iterations') for value in ('none', None, {'a': 1}, 10**30)),
    *((dict(mean=[value, 1, 1]), 'mean is not three numbers')
      for value in (10**400, -10**400, float('nan'), float('inf'), '1'))])
def test_a_student_of_other_values(changes, said, run):
    with pytest.raises(UserError, match=f'student.safetensors:? {said}'):
        read_run(run(student=changes), 'x')


DAMAGED = {'no JSON': '{{{\n', 'a list': '[1, 2]\n', 'nested': '[' * 100_000 + '\n',
           'digits': '{"a": ' + '9' * 5000 + '}\n',
           'no number': '{"step": "x", "loss": 1}\n', 'a large number': '{"step": ' + '9' * 40 + '}\n',
           'no text': b'\xff\xfe\n', 'UTF-16': 'ab'.encode('utf-16-le') + b'\n'}


@pytest.mark.parametrize('name', [f'{STARTED}/{STARTED}.json', f'{STARTED}/vis_data/scalars.json'])
@pytest.mark.parametrize('content', DAMAGED.values(), ids=DAMAGED)
def test_damaged_logs(name, content, run):
    file = run() / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=f'^{file}'):
        read_run(file.parents[len(name.split('/')) - 1], 'x')


@pytest.mark.parametrize('value', ['9' * 40, 'NaN', '1e999', '-1'])
def test_what_is_no_figure_is_left_out(value, run):
    folder = run()
    (folder / STARTED / 'vis_data/scalars.json').write_text('{"accuracy/top1": 5.0, "x": ' + value + ', "step": 1}\n')
    assert [model.results['Metrics'] for model in read_run(folder, 'x') if model.results] == [{'accuracy/top1': 5.0}]


@pytest.mark.parametrize('kind', ['pipe', '/dev/zero'])
@pytest.mark.parametrize('name', [f'{STARTED}/{STARTED}.json', f'{STARTED}/vis_data/scalars.json', 'newer.py',
                                  f'{STARTED}/{STARTED}.log'])
def test_files_without_end(name, kind, run):
    folder = run()
    file = folder / name
    file.unlink(missing_ok=True)
    os.mkfifo(file) if kind == 'pipe' else file.symlink_to(kind)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if name.endswith('.log'):
        assert gpu_name(folder) is None
    else:
        os.utime(folder / 'config.py', (1, 1))
        with pytest.raises(UserError, match=f'{file.name} cannot be read'):
            report_work_dir(folder) if name.endswith('.py') else read_run(folder, 'x')
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_a_pointer_without_end(run):
    folder = run()
    (folder / 'last_checkpoint').write_text('x' * 10**6)
    with pytest.raises(UserError, match='last_checkpoint cannot be read'):
        latest_checkpoint(str(folder))


def test_the_time_of_a_step_is_a_number(run):
    folder = run()
    (folder / f'{STARTED}/vis_data/scalars.json').write_text('{"loss": 1.0, "time": "x", "step": 1}\n')
    with pytest.raises(UserError, match="no number at 'time'"):
        images_per_second(folder, 2)
