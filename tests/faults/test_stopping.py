"""A run that is stopped at any iteration, by any of the signals, goes on as if it never had been."""

import os
import signal

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.runner import EpochBasedTrainLoop

from lgd_mm.engine.fill_teacher_cache import CacheFiller
from lgd_mm.engine.loader_workers import SIGNALS
from lgd_mm.engine.settings import set_exact_resume
from lgd_mm.errors import Stopped
from tests.faults.conftest import last_checkpoint, run_here, run_two

ITERATIONS = 10
#: The first one, the end of an accumulated step, of an epoch, the midst of the second epoch's first step, the last one.
ENDS = (1, 3, 5, 7, ITERATIONS)


@pytest.fixture(scope='module')
def undisturbed(fault_config, tmp_path_factory):
    return run_here(fault_config, tmp_path_factory.mktemp('undisturbed'))


def stop(config, work_dir, iteration, number=signal.SIGTERM, workers=False, **options):
    """Run until a signal comes in an iteration."""
    hooks = [dict(type='lgd_mm.IterationSeedHook'),
             dict(type='lgd_mm.SignalHook', iteration=iteration, number=int(number), workers=workers)]
    with pytest.raises(Stopped) as stopped:
        run_here(config, work_dir, resume='auto', custom_hooks=hooks, **options)
    assert stopped.value.code == 128 + number
    assert f'{signal.Signals(number).name} after iteration {iteration}, which is saved' in str(stopped.value)


def assert_same_run(found, expected):
    """Weights, banks, optimiser, schedule and the whole history of losses."""
    for part in ('state_dict', 'gradients'):
        assert found[part].keys() == expected[part].keys()
        for key, value in expected[part].items():
            torch.testing.assert_close(found[part][key], value, rtol=0, atol=0)
    torch.testing.assert_close(found['optimizer']['state'], expected['optimizer']['state'], rtol=0, atol=0)
    assert found['optimizer']['param_groups'] == expected['optimizer']['param_groups']
    assert found['param_schedulers'] == expected['param_schedulers']
    losses = [checkpoint['message_hub']['log_scalars']['train/loss'].data[0] for checkpoint in (found, expected)]
    assert losses[0].tolist() == losses[1].tolist() and len(losses[0]) == ITERATIONS


@pytest.mark.parametrize('iteration', [
    pytest.param(iteration, marks=() if iteration in ENDS else pytest.mark.nightly)
    for iteration in range(1, ITERATIONS + 1)
])
def test_stopped_at_any_iteration(fault_config, undisturbed, tmp_path, iteration):
    stop(fault_config, tmp_path, iteration)
    assert last_checkpoint(tmp_path)['meta']['iter'] == iteration
    assert_same_run(run_here(fault_config, tmp_path, 'auto'), undisturbed)
    assert not (tmp_path / 'stopped.pth').exists()


@pytest.mark.slow
def test_stopped_again_by_other_signals(fault_config, undisturbed, tmp_path):
    for iteration, number in ((2, signal.SIGINT), (6, signal.SIGUSR1), (8, signal.SIGHUP)):
        stop(fault_config, tmp_path, iteration, number)
    assert_same_run(run_here(fault_config, tmp_path, 'auto'), undisturbed)


@pytest.mark.slow
def test_stopped_while_workers_load_ahead(fault_config, undisturbed, tmp_path):
    workers = {'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': True}
    stop(fault_config, tmp_path, 3, **workers)
    assert_same_run(run_here(fault_config, tmp_path, 'auto', **workers), undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_to_the_workers_too(fault_config, undisturbed, tmp_path, number):
    """As Slurm and torchrun send it."""
    options = {'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': True}
    stop(fault_config, tmp_path, 3, number, workers=True, **options)
    assert_same_run(run_here(fault_config, tmp_path, 'auto', **options), undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize('processes', [1, 2])
def test_stopped_while_training_from_a_cache(fault_config, tmp_path, processes):
    """Two of three views are of the second epoch, in which the run is stopped; some of a view's crops are taken."""
    cache = tmp_path / 'cache'
    CacheFiller(str(fault_config), str(cache), views=3, crops=4).fill()
    config = tmp_path / 'cached.py'
    config.write_text(f'_base_ = {str(fault_config)!r}\n'
                      f"model = dict(teacher=dict(_delete_=True, type='lgd_mm.CachedTeacher', cache={str(cache)!r}),\n"
                      "             backbone=dict(out_indices=(1, 2, 3)), dense=dict(type='lgd_mm.DenseGuidance'))\n"
                      "train_dataloader = dict(sampler=dict(views=3), dataset=dict(\n"
                      f"    type='lgd_mm.CachedImages', cache={str(cache)!r}, crops=2))\n")
    if processes == 1:
        undisturbed = run_here(config, tmp_path / 'undisturbed')
        stop(config, tmp_path / 'run', 3)
        stop(config, tmp_path / 'run', 7)
        assert_same_run(run_here(config, tmp_path / 'run', 'auto'), undisturbed)
        return
    stopped = run_two(config, tmp_path / 'run', dict(iteration=7, number=int(signal.SIGUSR1), rank=1))
    assert 'after iteration 7, which is saved' in stopped.stderr
    for name in ('undisturbed', 'run'):
        done = run_two(config, tmp_path / name, resume=name == 'run')
        assert done.returncode == 0, done.stderr[-2000:]
    assert_same_run(last_checkpoint(tmp_path / 'run'), last_checkpoint(tmp_path / 'undisturbed'))


@pytest.mark.slow
def test_stopped_in_a_loop_over_iterations(fault_config, tmp_path):
    """As segmentation is trained; five batches are one pass over the images."""
    config = tmp_path / 'iterations.py'
    config.write_text(f'_base_ = {str(fault_config)!r}\n'
                      f"train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters={ITERATIONS})\n"
                      "param_scheduler = [dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=8)]\n"
                      'default_hooks = dict(checkpoint=dict(by_epoch=False, interval=100))\n')
    undisturbed = run_here(config, tmp_path / 'undisturbed')
    for iteration in (3, 7):
        stop(config, tmp_path / 'run', iteration)
    assert_same_run(run_here(config, tmp_path / 'run', 'auto'), undisturbed)


@pytest.mark.slow
def test_a_signal_that_comes_twice_is_one(fault_config, undisturbed, tmp_path, monkeypatch):
    """From the scheduler, and again from torchrun."""
    kill = os.kill
    monkeypatch.setattr(os, 'kill', lambda pid, number: (kill(pid, number), kill(pid, number)))
    stop(fault_config, tmp_path, 4)
    monkeypatch.undo()
    assert_same_run(run_here(fault_config, tmp_path, 'auto'), undisturbed)


@pytest.mark.slow
def test_saved_in_full_also_without_the_optimiser_in_regular_checkpoints(fault_config, undisturbed, tmp_path):
    lean = {'default_hooks.checkpoint.save_optimizer': False, 'default_hooks.checkpoint.save_param_scheduler': False}
    stop(fault_config, tmp_path, 4, **lean)
    end = run_here(fault_config, tmp_path, 'auto')
    assert_same_run(end, undisturbed)


def test_without_checkpoints_nothing_is_promised(fault_config, tmp_path):
    config = tmp_path / 'without.py'
    config.write_text(f'_base_ = {str(fault_config)!r}\ndefault_hooks = dict(checkpoint=None)\n'
                      "custom_hooks = [dict(type='lgd_mm.SignalHook', iteration=2)]\n")
    with pytest.raises(Stopped, match='after iteration 2, which is not saved: the config has no lgd_mm.CheckpointHook'):
        run_here(config, tmp_path / 'run')


@pytest.mark.parametrize('hooks', [None, {}, dict(checkpoint=dict(type='mmengine.CheckpointHook', interval=1)),
                                   dict(checkpoint=dict(type=CheckpointHook, interval=1))])
@pytest.mark.parametrize('loop', ['mmengine.EpochBasedTrainLoop', EpochBasedTrainLoop])
def test_every_form_of_a_config_goes_on_exactly(hooks, loop):
    cfg = Config(dict(default_hooks=hooks, train_cfg=dict(type=loop, max_epochs=1)))
    set_exact_resume(cfg)
    assert cfg.default_hooks.checkpoint == dict(type='lgd_mm.CheckpointHook', interval=1)
    assert cfg.train_cfg == dict(type='lgd_mm.EpochLoop', max_epochs=1)


@pytest.mark.slow
def test_a_run_that_has_ended_is_resumed(fault_config, tmp_path):
    """With the hooks of the shipped configs."""
    hooks = [dict(type=f'lgd_mm.{name}Hook') for name in ('IterationSeed', 'NonFinite', 'Health', 'UnreadableImages')]
    run_here(fault_config, tmp_path, custom_hooks=hooks)
    assert run_here(fault_config, tmp_path, 'auto', custom_hooks=hooks)['meta']['iter'] == ITERATIONS


def test_handlers_are_given_back(fault_config, tmp_path):
    before = [signal.getsignal(number) for number in SIGNALS]
    stop(fault_config, tmp_path, 1)
    assert [signal.getsignal(number) for number in SIGNALS] == before
