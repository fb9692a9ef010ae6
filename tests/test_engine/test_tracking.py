"""Trackers: logged to beside the log, and no network unless the user set one up."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.registry import VISUALIZERS
from mmengine.visualization import Visualizer

from lgd_mm.engine.tracking import set_tracker
from lgd_mm.errors import UserError


@pytest.fixture
def no_wandb_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine whose user never set up Weights & Biases; the package seems to be there."""
    for name in ('WANDB_MODE', 'WANDB_API_KEY', 'WANDB_BASE_URL', 'WANDB_ERROR_REPORTING'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv('NETRC', str(tmp_path / 'netrc'))
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: object())
    return tmp_path / 'netrc'


def backends(cfg: Config) -> list[str]:
    return [backend.type for backend in cfg.visualizer.vis_backends]


def build(cfg: Config, folder: Path) -> Visualizer:
    return VISUALIZERS.build({**cfg.visualizer, 'name': str(folder), 'save_dir': str(folder)})


@pytest.mark.parametrize('tracker', ['tensorboard', 'wandb'])
def test_a_missing_package_is_named(tracker: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(UserError, match=f'^--tracker {tracker} needs the package {tracker}, which is not installed: '
                                        f'pip install {tracker}$'):
        set_tracker(Config(dict(work_dir='run')), tracker)


def test_curves_are_in_tensorboard_and_in_the_log(tmp_path: Path) -> None:
    accumulator = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    cfg = Config(dict(work_dir=str(tmp_path)))
    assert set_tracker(cfg, 'tensorboard') == f'curves: tensorboard --logdir {tmp_path}'
    visualizer = build(cfg, tmp_path / 'part')
    for step in (1, 2):
        visualizer.add_scalars(dict(loss=1 / step), step=step)
    visualizer.close()
    events = accumulator.EventAccumulator(str(next(tmp_path.rglob('events.out.*')).parent)).Reload()
    assert [(event.step, event.value) for event in events.Scalars('loss')] == [(1, 1.0), (2, 0.5)]
    assert len(next(tmp_path.rglob('scalars.json')).read_text().splitlines()) == 2


def test_a_config_keeps_its_visualizer_and_no_tracker_comes_twice(no_wandb_account: Path) -> None:
    cfg = Config(dict(work_dir='run', visualizer=dict(type='DetLocalVisualizer', vis_backends=[
        dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])))
    set_tracker(cfg, 'tensorboard')
    assert (cfg.visualizer.type, backends(cfg)) == ('DetLocalVisualizer', ['LocalVisBackend', 'TensorboardVisBackend'])
    set_tracker(cfg, 'wandb')
    assert backends(cfg)[2:] == ['lgd_mm.WandbBackend']


def test_wandb_stays_offline_without_a_key(no_wandb_account: Path) -> None:
    cfg = Config(dict(work_dir='work_dirs/run'))
    told = set_tracker(cfg, 'wandb')
    assert cfg.visualizer.vis_backends[1].init_kwargs == dict(project='lgd_mm', name='run', mode='offline')
    assert 'wandb login' in told and 'wandb sync work_dirs/run/' in told


@pytest.mark.parametrize('setting', [dict(WANDB_API_KEY='key'), dict(WANDB_MODE='online'), 'machine api.wandb.ai'])
def test_wandb_is_as_the_user_set_it_up(no_wandb_account: Path, monkeypatch: pytest.MonkeyPatch,
                                        setting: dict | str) -> None:
    if isinstance(setting, str):
        no_wandb_account.write_text(f'{setting} login user password key\n')
        no_wandb_account.chmod(0o600)
    else:
        for name, value in setting.items():
            monkeypatch.setenv(name, value)
    cfg = Config(dict(work_dir='work_dirs/run'))
    set_tracker(cfg, 'wandb')
    assert cfg.visualizer.vis_backends[1].init_kwargs == dict(project='lgd_mm', name='run')


def test_wandb_gets_config_and_curves_and_no_code(no_wandb_account: Path, monkeypatch: pytest.MonkeyPatch,
                                                  tmp_path: Path) -> None:
    """mmengine's own backend would copy every Python file below the current folder."""
    calls: list[tuple] = []
    fake = SimpleNamespace(
        init=lambda **kwargs: calls.append(('init', kwargs['mode'])),
        config=SimpleNamespace(update=lambda values, **kwargs: calls.append(('config', values))),
        log=lambda values, **kwargs: calls.append(('log', values)),
        finish=lambda: calls.append(('finish', )), join=lambda: calls.append(('finish', )))
    monkeypatch.setitem(sys.modules, 'wandb', fake)
    cfg = Config(dict(work_dir=str(tmp_path)))
    set_tracker(cfg, 'wandb')
    visualizer = build(cfg, tmp_path / 'part')
    visualizer.add_config(Config(dict(a=1)))
    visualizer.add_scalars(dict(loss=0.5), step=1)
    assert calls == [('init', 'offline'), ('config', dict(a=1)), ('log', dict(loss=0.5))]
