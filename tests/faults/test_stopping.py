"""A run that is stopped at any iteration, by any of the signals, goes on as if it never had been."""

import signal

import pytest
import torch

from lgd_mm.errors import Stopped
from tests.faults.conftest import last_checkpoint, run_here

ITERATIONS = 10


@pytest.fixture(scope='module')
def undisturbed(fault_config, tmp_path_factory):
    return run_here(fault_config, tmp_path_factory.mktemp('undisturbed'))


def stop(config, work_dir, iteration, number=signal.SIGTERM, **options):
    """Run until a signal comes in an iteration."""
    hooks = [dict(type='lgd_mm.IterationSeedHook'),
             dict(type='lgd_mm.SignalHook', iteration=iteration, number=int(number))]
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
    assert str(found['optimizer']) == str(expected['optimizer'])
    assert found['param_schedulers'] == expected['param_schedulers']
    losses = [checkpoint['message_hub']['log_scalars']['train/loss'].data[0] for checkpoint in (found, expected)]
    assert losses[0].tolist() == losses[1].tolist() and len(losses[0]) == ITERATIONS


@pytest.mark.parametrize('iteration', range(1, ITERATIONS + 1))
def test_stopped_at_any_iteration(fault_config, undisturbed, tmp_path, iteration):
    stop(fault_config, tmp_path, iteration)
    assert last_checkpoint(tmp_path)['meta']['iter'] == iteration
    assert_same_run(run_here(fault_config, tmp_path, 'auto'), undisturbed)
    assert not (tmp_path / 'stopped.pth').exists()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGUSR1])
def test_stopped_twice_by_other_signals(fault_config, undisturbed, tmp_path, number):
    stop(fault_config, tmp_path, 2, number)
    stop(fault_config, tmp_path, 8, number)
    assert_same_run(run_here(fault_config, tmp_path, 'auto'), undisturbed)


def test_stopped_while_workers_load_ahead(fault_config, undisturbed, tmp_path):
    workers = {'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': True}
    stop(fault_config, tmp_path, 3, **workers)
    assert_same_run(run_here(fault_config, tmp_path, 'auto', **workers), undisturbed)


def test_handlers_are_given_back(fault_config, tmp_path):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)]
    stop(fault_config, tmp_path, 1)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)] == before
