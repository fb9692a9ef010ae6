"""A run of seconds into which faults are injected."""

import multiprocessing
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from mmengine.hooks import Hook

from lgd_mm.engine.launch import train
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.registry import HOOKS
from tests.isolation import forget_runs
from tests.tiny import ROOT, run_tool, train_by_torchrun, train_in_two, write_images, write_lgd_config


@HOOKS.register_module(force=True)
class SignalHook(Hook):
    """Sends its own process a signal in an iteration, once.

    Args:
        iteration (int): From 1.
        number (int): Of the signal.
        rank (int): Of the process that does it.
        launcher (bool): Whether the launcher gets it instead.
        workers (bool): Whether the workers of the loader get it first, from another process.
    """

    def __init__(self, iteration: int, number: int = signal.SIGTERM, rank: int = 0, launcher: bool = False,
                 workers: bool = False) -> None:
        self.iteration, self.number, self.rank, self.launcher, self.workers = iteration, number, rank, launcher, workers

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        again = int(os.environ.get('TORCHELASTIC_RESTART_COUNT', 0))
        if runner.iter + 1 == self.iteration and runner.rank == self.rank and not again:
            if self.workers:
                workers = [str(each.pid) for each in multiprocessing.active_children()]
                subprocess.run(['kill', f'-{self.number}', *workers], check=True)
                time.sleep(0.5)  # one that ends is noticed
            os.kill(os.getppid() if self.launcher else os.getpid(), self.number)


@pytest.fixture(scope='session')
def fault_images(tmp_path_factory) -> Path:
    """20 images: five batches of an epoch."""
    folder = tmp_path_factory.mktemp('pictures')
    write_images(folder, 20)
    return folder


@pytest.fixture(scope='session')
def fault_config(tmp_path_factory, fault_images) -> Path:
    """Two epochs; three batches make a step, so that one is left over at the end of an epoch."""
    return write_lgd_config(
        tmp_path_factory.mktemp('config'), fault_images, model=dict(backbone=dict(drop_path_rate=0.2)),
        optim_wrapper=dict(accumulative_counts=3), train_cfg=dict(max_epochs=2))


def run_here(config, work_dir, resume=None, **options):
    """Train in this process; returns the last checkpoint."""
    forget_runs()
    train(str(config), work_dir=str(work_dir), resume=resume, cfg_options=options)
    return last_checkpoint(work_dir)


def run_two(config, work_dir, fault=None, *options, resume=False, launcher=None, restarts=0, **env):
    """Train in two processes, of which the second one may have a fault.

    Those of the launcher ``'torchrun'`` are begun again so many times; it is forked like them. ``'dist_train.sh'`` is
    the script, whose five programs import all libraries for themselves.
    """
    faulty = config.with_name(f'faulty_{work_dir.name}.py')
    hooks = [dict(type='lgd_mm.IterationSeedHook'), *([dict(type='lgd_mm.SignalHook', **fault)] if fault else [])]
    imports = dict(imports=['lgd_mm', 'tests.faults.conftest'], allow_failed_imports=False)
    faulty.write_text(f'_base_ = {str(config)!r}\ncustom_hooks = {hooks}\ncustom_imports = {imports}\n')
    words = ['--work-dir', work_dir, *(['--resume'] if resume else []),
             '--cfg-options', 'train_dataloader.batch_size=2', *options]
    env |= dict(CUDA_VISIBLE_DEVICES='', PYTHONPATH=str(ROOT))
    if launcher == 'dist_train.sh':
        return run_tool('tools/dist_train.sh', faulty, 2, *words, MAX_RESTARTS=str(restarts), **env)
    if launcher == 'torchrun':
        return train_by_torchrun(faulty, *words, restarts=restarts, **env)
    return train_in_two(faulty, *words, **env)


def last_checkpoint(work_dir) -> dict:
    return load_checkpoint_file((Path(work_dir) / 'last_checkpoint').read_text().strip())
