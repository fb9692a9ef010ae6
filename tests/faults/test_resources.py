"""What a machine runs out of is told with the option to change."""

import errno

import pytest
import torch
from mmengine.config import Config

from lgd_mm.engine.failures import user_errors
from lgd_mm.errors import UserError
from tests.faults.conftest import run_here


@pytest.mark.parametrize(('error', 'sentence'), [
    (torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2 GiB'), 'the GPU has no memory left: give a'),
    (MemoryError(), 'this machine has no memory left: give a smaller batch'),
    (RuntimeError("[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: can't allocate memory: you tried"),
     'this machine has no memory left'),
    (RuntimeError('DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that dataloader\'s workers '
                  'are out of shared memory.'), 'shared memory is full, .* give train_dataloader.num_workers=0'),
    (RuntimeError('DataLoader worker (pid 7) is killed by signal: Killed.'), 'a loader was ended from outside'),
    (OSError(errno.EMFILE, 'Too many open files'), 'too many files are open: raise the bound'),
    (OSError(errno.ESTALE, 'Stale file handle', '/a.jpg'), r"network share fails \(.*Stale file .*'/a.jpg'\)"),
    (OSError('Caught TimeoutError in DataLoader worker process 0.\nOriginal Traceback ...\n'
             "TimeoutError: [Errno 110] Connection timed out: '/a.jpg'"), r"share fails \(.*timed out: '/a.jpg'\)"),
    (RuntimeError('Caught OSError in DataLoader worker process 0.\nOriginal Traceback ...\n'
                  'OSError: [Errno 5] Input/output error'), r'share fails \(\[Errno 5\] Input/output error\): see'),
    (RuntimeError('received 0 items of ancdata: Too many open files'), 'too many files are open')])
def test_sentence(tmp_path, error, sentence):
    with pytest.raises(UserError, match=sentence), user_errors(Config(dict(work_dir=str(tmp_path), model={})), ''):
        raise error


def test_a_loader_that_is_killed(fault_config, tmp_path, monkeypatch):
    """As the kernel does it when memory is out: no traceback, no hang."""
    import os
    import signal
    import socket
    from multiprocessing import resource_sharer
    from unittest.mock import Mock

    from mmengine.hooks import Hook

    from lgd_mm.registry import HOOKS

    @HOOKS.register_module(force=True)
    class KillWorkerHook(Hook):
        def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
            if runner.iter == 1:
                children = open(f'/proc/self/task/{os.getpid()}/children').read().split()
                for child in children:
                    if b'python' in open(f'/proc/{child}/cmdline', 'rb').read():
                        os.kill(int(child), signal.SIGKILL)

    with pytest.raises(UserError, match='a loader was ended from outside, .* give fewer train_dataloader.num_workers'):
        run_here(fault_config, tmp_path, custom_hooks=[dict(type='lgd_mm.KillWorkerHook')],
                 **{'train_dataloader.num_workers': 1, 'train_dataloader.persistent_workers': True,
                    'train_cfg.max_epochs': 20})

    # The same, while it hands a batch over: nobody listens any more.
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(tmp_path / 'socket'))
        with pytest.raises(UserError, match='a loader was ended from outside'), user_errors(
                Config(dict(work_dir=str(tmp_path), model={})), ''):
            resource_sharer._resource_sharer.get_connection((str(tmp_path / 'socket'), 1))

    # torch replaces the error, where it notices the end of the loader while it takes in a batch.
    with pytest.raises(UserError, match='a loader was ended from outside'), user_errors(
            Config(dict(work_dir=str(tmp_path), model={})), ''):
        try:
            raise RuntimeError('DataLoader worker (pid 12) is killed by signal: Killed. ')
        except RuntimeError as error:
            raise RuntimeError('DataLoader worker (pid(s) 12) exited unexpectedly') from error

    # It does so whenever the signal comes: also while another error of the same end is looked at.
    ended = RuntimeError('DataLoader worker (pid 12) is killed by signal: Killed. ')
    with monkeypatch.context() as patch:
        patch.setattr('lgd_mm.engine.failures.is_exhausted', Mock(side_effect=[ended, False]))
        with pytest.raises(UserError, match='a loader was ended from outside'), user_errors(
                Config(dict(work_dir=str(tmp_path), model={})), ''):
            raise ConnectionResetError(104, 'Connection reset by peer')


@pytest.mark.slow
def test_threads_files_and_memory_do_not_grow(fault_config, tmp_path):
    """``growth.py`` looks at 5,000 iterations."""
    from tests.faults.growth import GrowthHook
    hook = dict(type='lgd_mm.GrowthHook')
    run_here(fault_config, tmp_path, custom_hooks=[hook], **{'train_cfg.max_epochs': 12})
    begin, end = GrowthHook.seen[2], GrowthHook.seen[-1]
    assert end['threads'] <= begin['threads'] and end['files'] <= begin['files']
