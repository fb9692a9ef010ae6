"""One process at a time, whatever became of the one before."""

import errno
import fcntl
import multiprocessing
import os
import signal
import socket
import time

import pytest

from lgd_mm.errors import UserError
from lgd_mm.io.lock import LOCK_OF_RUN, alone_in_run, is_empty

FORK = multiprocessing.get_context('fork')


def in_a_fork(work, *arguments):
    child = FORK.Process(target=work, args=arguments)
    child.start()
    return child


def refused(folder):
    """In another process: whether it is kept out, and what it is told."""
    told, tell = FORK.Pipe(duplex=False)

    def work():
        try:
            with alone_in_run(folder):
                tell.send('')
        except UserError as error:
            tell.send(str(error))

    in_a_fork(work).join()
    return told.recv()


def test_another_process_is_told_which_one_is_at_work(tmp_path):
    folder = tmp_path / 'new' / 'run'
    with alone_in_run(folder):
        with alone_in_run(tmp_path / 'new' / '..' / 'new' / 'run'):  # what it holds, it may ask for again
            assert is_empty(folder)
        assert refused(folder) == (f'process {os.getpid()} on {socket.gethostname()} is at work in {folder}: wait '
                                   'until it has ended, or give another folder')
    assert not folder.exists() and refused(folder) == ''
    folder.mkdir()
    (folder / 'link').symlink_to(folder)
    with alone_in_run(folder / 'link'):
        assert 'is at work in' in refused(folder) and not is_empty(folder)
    assert os.listdir(folder) == ['link']


def test_a_killed_process_and_its_workers_hold_nothing(tmp_path):
    """A worker outlives the process that forked it by seconds."""
    working, tell = FORK.Pipe(duplex=False)

    def work():
        with alone_in_run(tmp_path):
            worker = in_a_fork(time.sleep, 60)
            tell.send(worker.pid)
            worker.join()

    child = in_a_fork(work)
    worker = working.recv()
    assert 'is at work in' in refused(tmp_path)
    child.kill()
    child.join()
    os.kill(worker, 0)  # is there
    assert (tmp_path / LOCK_OF_RUN).exists() and is_empty(tmp_path) and refused(tmp_path) == ''
    os.kill(worker, signal.SIGKILL)


def test_who_waited_at_a_file_that_is_removed_does_not_get_in(tmp_path, monkeypatch):
    """Its lock would be of a file that nobody else meets."""
    removed = []
    flock = fcntl.flock

    def remove_first(lock, how):
        if not removed:
            removed.append((tmp_path / LOCK_OF_RUN).unlink())
        flock(lock, how)

    monkeypatch.setattr(fcntl, 'flock', remove_first)
    with alone_in_run(tmp_path):
        assert removed and 'is at work in' in refused(tmp_path)


@pytest.mark.parametrize('number', [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_file_system_without_locks(tmp_path, monkeypatch, number):
    """As some network shares are: nobody is kept out, and nothing fails."""
    def fail(lock, how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, 'flock', fail)
    with alone_in_run(tmp_path):
        assert refused(tmp_path) == ''


def test_a_lock_of_somebody_else(tmp_path):
    (tmp_path / LOCK_OF_RUN).mkdir()  # root may write to every file
    with pytest.raises(UserError, match=r'\.run\.lock cannot be written to \(Is a directory\), which keeps a second'), \
            alone_in_run(tmp_path):
        pass
