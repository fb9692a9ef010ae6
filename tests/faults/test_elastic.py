"""Two processes, of which one is lost or hangs."""

import signal

import pytest
import torch

from lgd_mm.io.safe_load import load_checkpoint_file
from tests.faults.conftest import last_checkpoint, run_two

LAUNCHERS = 'torchrun', pytest.param('dist_train.sh', marks=pytest.mark.nightly)


@pytest.mark.slow
@pytest.mark.parametrize('launcher', LAUNCHERS)
def test_group_begins_again_after_the_loss_of_a_process(fault_config, tmp_path, launcher):
    done = run_two(fault_config, tmp_path / 'quiet')
    assert done.returncode == 0, done.stderr[-2000:]
    lost = run_two(fault_config, tmp_path / 'lost', dict(iteration=8, number=int(signal.SIGKILL), rank=1),
                   launcher=launcher, restarts=1)
    assert lost.returncode == 0, lost.stderr[:6000]
    found, expected = (last_checkpoint(tmp_path / name)['state_dict'] for name in ('lost', 'quiet'))
    assert all(torch.equal(found[key], value) for key, value in expected.items())


def test_a_signal_to_one_process_stops_all(fault_config, tmp_path):
    stopped = run_two(fault_config, tmp_path / 'run', dict(iteration=3, number=int(signal.SIGUSR1), rank=1))
    assert 'stopped by SIGUSR1 after iteration 3, which is saved: go on with --resume' in stopped.stderr
    assert load_checkpoint_file(tmp_path / 'run/stopped.pth')['meta']['iter'] == 3


@pytest.mark.slow
@pytest.mark.parametrize('launcher', LAUNCHERS)
@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_to_the_launcher_stops_all(fault_config, tmp_path, number, launcher):
    """As a scheduler sends it; they do not begin again."""
    fault = dict(iteration=3, number=int(number), rank=1, launcher=True)
    stopped = run_two(fault_config, tmp_path / 'run', fault, 'train_dataloader.num_workers=1',
                      'train_dataloader.persistent_workers=True', launcher=launcher, restarts=3)
    assert stopped.returncode != 0 and f'stopped by {number.name} after iteration' in stopped.stderr
    assert 3 <= load_checkpoint_file(tmp_path / 'run/stopped.pth')['meta']['iter'] < 10
    assert len(list((tmp_path / 'run').glob('*/vis_data'))) == 1


@pytest.mark.slow
def test_a_process_that_hangs(fault_config, tmp_path, monkeypatch):
    monkeypatch.setattr('tests.processes.PATIENCE', 1)  # a stopped process never ends
    hangs = run_two(fault_config, tmp_path / 'run', dict(iteration=3, number=int(signal.SIGSTOP), rank=1),
                    'env_cfg.dist_cfg.timeout=10')
    assert hangs.returncode != 0
    assert 'another process of this run has not answered for 10 seconds: see what it said' in hangs.stderr
