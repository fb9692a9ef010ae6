"""A seed gives the same student twice, resuming equals not stopping, two processes equal one."""

import os
import signal
import time

import pytest
import torch

from lgd_mm.io.safe_load import load_checkpoint_file
from tests.processes import start_program
from tests.tiny import ROOT, run_tool, train_in_group, train_in_two, write_images, write_lgd_config


def train(config, work_dir, *arguments):
    done = run_tool('tools/train.py', config, '--work-dir', work_dir, *arguments)
    assert done.returncode == 0, done.stderr[-3000:]
    return final_state(work_dir)


def final_state(work_dir):
    return load_checkpoint_file((work_dir / 'last_checkpoint').read_text().strip())['state_dict']


def assert_equal(first, second):
    assert first.keys() == second.keys()
    for key in first:
        assert torch.equal(first[key], second[key]), key


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp('pictures')
    write_images(folder, 24)
    return folder


@pytest.fixture(scope='module')
def config(tmp_path_factory, pictures):
    # stochastic depth, so that the network's own random numbers count as well
    return write_lgd_config(
        tmp_path_factory.mktemp('config'),
        pictures,
        model=dict(backbone=dict(drop_path_rate=0.2)),
        train_cfg=dict(max_epochs=4))


@pytest.fixture(scope='module')
def undisturbed(config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('undisturbed')
    return train(config, work_dir), work_dir


@pytest.mark.slow
def test_same_seed_same_student_with_workers(config, undisturbed, tmp_path):
    again = train(config, tmp_path, '--cfg-options', 'train_dataloader.num_workers=2',
                  'train_dataloader.persistent_workers=True')
    assert_equal(again, undisturbed[0])


@pytest.mark.slow
def test_other_seed_other_student(config, undisturbed, tmp_path):
    other = train(config, tmp_path, '--cfg-options', 'randomness.seed=1')
    assert not torch.equal(other['lgka.visual_bank'], undisturbed[0]['lgka.visual_bank'])


@pytest.mark.parametrize('epoch', [pytest.param(1, marks=pytest.mark.nightly), 3])
def test_resumed_from_a_checkpoint(config, undisturbed, tmp_path, epoch):
    resumed = train(config, tmp_path, '--resume', undisturbed[1] / f'epoch_{epoch}.pth')
    assert_equal(resumed, undisturbed[0])


@pytest.mark.slow
@pytest.mark.parametrize('delay', [pytest.param(0.0, marks=pytest.mark.nightly), 0.4])
def test_killed_and_resumed(config, undisturbed, tmp_path, delay):
    command = [str(ROOT / 'tools/train.py'), str(config), '--work-dir', str(tmp_path)]
    process = start_program(command, ROOT, os.environ, tmp_path / 'output', tmp_path / 'errors')
    while not (tmp_path / 'last_checkpoint').exists():
        assert process.is_alive(), 'training ended before it could be killed'
        time.sleep(0.02)
    time.sleep(delay)
    process.kill()
    process.join()
    assert_equal(train(config, tmp_path, '--resume'), undisturbed[0])


@pytest.fixture(scope='module')
def evenly(tmp_path_factory, pictures):
    """A config whose batches may be divided among processes, and the state after eight images a step in one."""
    # Batch norm in eval mode: its statistics are the one thing that two half batches do not share on a CPU.
    # Blocks begin as identities: others double the rounding of sums in another order.
    folder = tmp_path_factory.mktemp('evenly')
    config = write_lgd_config(folder, pictures, model=dict(backbone=dict(norm_eval=True, zero_init_residual=True)),
                              train_cfg=dict(max_epochs=2))
    return config, train(config, folder / 'one', '--cfg-options', 'train_dataloader.batch_size=8')


def assert_near(found, one):
    assert one.keys() == found.keys()
    for key in one:
        torch.testing.assert_close(found[key], one[key], rtol=0, atol=1e-5)
    assert torch.equal(one['lgka.counts'], found['lgka.counts']) and one['lgka.counts'].sum() == 2 * 24


@pytest.mark.slow
def test_two_processes_equal_one_with_the_doubled_batch(evenly, tmp_path):
    config, one = evenly
    done = train_in_two(config, '--work-dir', tmp_path / 'two')
    assert done.returncode == 0, done.stderr[-3000:]
    assert_near(final_state(tmp_path / 'two'), one)


@pytest.mark.slow
@pytest.mark.parametrize('processes', [4, pytest.param(8, marks=pytest.mark.nightly)])
def test_half_the_processes_go_on_with_the_doubled_batch(evenly, tmp_path, monkeypatch, processes):
    """From the middle of an epoch; with the same batch in each they are refused, as are small steps of the banks."""
    monkeypatch.setattr('tests.processes.PATIENCE', 1)  # those that hang when the first has refused
    config, one = evenly
    fault = dict(type='lgd_mm.SignalHook', iteration=2, number=int(signal.SIGTERM))
    stopping = config.with_name(f'stopping{processes}.py')
    stopping.write_text(f'_base_ = {str(config)!r}\ncustom_hooks = [dict(type="lgd_mm.IterationSeedHook"), {fault}]\n'
                        'custom_imports = dict(imports=["lgd_mm", "tests.faults.conftest"])\n')
    size = 8 // processes
    stopped = train_in_group(processes, stopping, '--work-dir', tmp_path / 'run', '--cfg-options',
                             f'train_dataloader.batch_size={size}')
    assert 'stopped by SIGTERM after iteration 2' in stopped.stderr
    resume = config, '--work-dir', tmp_path / 'run', '--resume', '--cfg-options'
    for options in ([f'train_dataloader.batch_size={size}'],
                    [f'train_dataloader.batch_size={size}', 'optim_wrapper.accumulative_counts=2']):
        refused = train_in_group(processes // 2, *resume, *options)
        assert refused.returncode and f'give --cfg-options train_dataloader.batch_size={2 * size}' in refused.stderr
    done = train_in_group(processes // 2, *resume, f'train_dataloader.batch_size={2 * size}')
    assert done.returncode == 0, done.stderr[-3000:]
    assert_near(final_state(tmp_path / 'run'), one)
