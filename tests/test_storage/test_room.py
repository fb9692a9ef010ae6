"""Copies of objects on the local disk, which many processes and threads make, use and remove at once."""

import os
import threading
import time

import pytest

from lgd_mm.io.files import PART
from lgd_mm.storage import room
from lgd_mm.storage.objects import Version


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path))
    return tmp_path / 'objects'


def copy(name, content=b'content', url='s3://bucket/a'):
    return room.copy_of(url, Version(7, ''), name, lambda: [content])


def test_a_fork_in_the_middle_of_a_copy_keeps_nobody_waiting(folder):
    """As of a loader's workers while pieces are fetched ahead: they must not hold the lock on when that has ended."""
    begun, go = threading.Event(), threading.Event()

    def slow():
        begun.set()
        go.wait()
        yield b'content'

    thread = threading.Thread(target=lambda: room.copy_of('s3://bucket/a', Version(7, ''), 'part', slow))
    thread.start()
    begun.wait()
    worker = os.fork()
    if not worker:
        time.sleep(20)
        os._exit(0)
    try:
        go.set()
        thread.join()
        copy('part').unlink()
        again = threading.Thread(target=copy, args=('part', ), daemon=True)
        again.start()
        again.join(10)
        assert not again.is_alive()
    finally:
        os.kill(worker, 9)
        os.waitpid(worker, 0)


def test_threads_make_one_copy_without_locks(folder, monkeypatch):
    """Of a file system that has none, both write it: neither takes away what the other one has not finished."""
    monkeypatch.setattr(room.fcntl, 'flock', lambda *_: (_ for _ in ()).throw(OSError('no locks')))
    both, found = threading.Barrier(2), []

    def content():
        both.wait()
        yield b'con'
        both.wait()
        yield b'tent'

    def make():
        found.append(room.copy_of('s3://bucket/a', Version(7, ''), 'part', content).read_bytes())

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b'content', b'content']


def test_what_killed_processes_left_is_removed(folder):
    kept = copy('kept')
    left, growing = (kept.with_name(f'.{name}{PART}') for name in ('left', 'growing'))
    for path in left, growing:
        path.write_bytes(bytes(100))
    os.utime(left, (time.time() - 2 * room.FORGOTTEN, ) * 2)
    room.make_room(50)
    assert kept.exists() and growing.exists() and not left.exists()


def test_a_copy_that_is_used_while_room_is_made_stays(folder, monkeypatch):
    old, older = copy('old'), copy('older')
    os.utime(old, (2, 2))
    os.utime(older, (1, 1))

    def used_meanwhile(found):
        os.utime(older)
        return sorted(found)

    monkeypatch.setattr(room, 'sorted', used_meanwhile, raising=False)
    room.make_room(13)
    assert older.exists() and not old.exists()


def test_copies_of_many_objects_lie_in_few_folders(folder):
    """All of which are looked through again and again."""
    assert len({copy('part', url=f's3://bucket/{number}') for number in range(600)}) == 600
    assert len([path for path in folder.iterdir() if path.is_dir()]) <= 256
