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
from lgd_mm.io.files import PART, write_text
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


def odd_places(folder, name):
    """What may lie where a file of this package is to be, and a file that must stay as it is."""
    victim = folder / 'victim.txt'
    victim.write_text('precious')
    places = dict(soft=lambda path: path.symlink_to(victim), dangling=lambda path: path.symlink_to(folder / 'none'),
                  hard=lambda path: os.link(victim, path), pipe=os.mkfifo, folder=os.mkdir,
                  own=lambda path: path.write_text('my notes'), words=lambda path: path.write_text('process of'),
                  binary=lambda path: path.write_bytes(bytes(range(256))))
    places[name](folder / LOCK_OF_RUN)
    return victim


@pytest.mark.parametrize(('kind', 'reason'), [
    ('soft', r'cannot be written to \(it is a link\)'), ('dangling', r'\(it is a link\)'),
    ('hard', r'\(it is a link to another file\)'), ('pipe', r'\(it is a pipe\)'), ('folder', r'\(Is a directory\)'),
    ('own', 'is a file of somebody else: move it away'), ('words', 'of somebody else'), ('binary', 'of somebody else')])
def test_nothing_of_others_is_written_to_or_removed(tmp_path, kind, reason):
    victim = odd_places(tmp_path, kind)
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(UserError, match=reason), alone_in_run(tmp_path):
        pass
    assert sorted(os.listdir(tmp_path)) == before and victim.read_text() == 'precious'
    if kind == 'own':
        assert (tmp_path / LOCK_OF_RUN).read_text() == 'my notes'


def test_what_took_the_place_of_a_lock_stays(tmp_path):
    with alone_in_run(tmp_path):
        (tmp_path / LOCK_OF_RUN).unlink()
        (tmp_path / LOCK_OF_RUN).write_text('my notes')
    assert (tmp_path / LOCK_OF_RUN).read_text() == 'my notes'


@pytest.mark.parametrize('left', ['', 'process 7 on there', '\0' * 18])
def test_a_lock_that_a_killed_process_left_is_taken(tmp_path, left):
    (tmp_path / LOCK_OF_RUN).write_text(left)
    with alone_in_run(tmp_path):
        assert (tmp_path / LOCK_OF_RUN).read_text() == f'process {os.getpid()} on {socket.gethostname()}'
    assert is_empty(tmp_path) and not os.listdir(tmp_path)


def test_an_unfinished_file_is_not_written_through_a_link(tmp_path):
    victim, path = tmp_path / 'victim.txt', tmp_path / 'a.json'
    victim.write_text('precious')
    (tmp_path / f'.a.json.{os.uname().nodename}.{os.getpid()}{PART}').symlink_to(victim)
    write_text(path, 'new')
    assert (victim.read_text(), path.read_text(), path.is_symlink()) == ('precious', 'new', False)
