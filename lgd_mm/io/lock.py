"""One process at a time at work in a folder, by a lock that ends with the process, however it ends."""

import fcntl
import os
import re
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO

from lgd_mm.errors import UserError
from lgd_mm.io.files import open_own

#: In the folder of a run, while a process is at work in it. A folder with nothing else in it counts as empty.
LOCK_OF_RUN = '.run.lock'
#: What is in a lock: nothing, where the process was killed before it wrote; a power cut leaves zeros.
OURS = re.compile(r'process \d+ on .*|\0*')
#: Locks that this process holds, by the real path of their file.
_held: dict[str, IO[str]] = {}


@contextmanager
def alone(file: str | os.PathLike[str], cure: str) -> Iterator[None]:
    """Keep other processes out, also those of other machines where the file system has locks; without them, nobody is
    kept out. What this process holds already it may ask for again.

    Args:
        file (str | PathLike): The lock; it and its folder are made if they are missing, and removed again if nothing
            else came into the folder.
        cure (str): Ends the sentence about another process, which begins with that process.

    Raises:
        UserError: If another process holds it, or a link or a file of somebody else is in its place.
    """
    path = Path(os.path.realpath(Path(file).parent), Path(file).name)
    if str(path) in _held:
        yield
        return
    made_folder = not path.parent.exists()
    lock = _open(path, cure)
    _held[str(path)] = lock
    try:
        yield
    finally:
        del _held[str(path)]
        with suppress(OSError):  # still held: who opens it meanwhile sees that it is no longer the one of the folder
            if _is_at(lock, path):
                path.unlink()
        lock.close()
        if made_folder:
            with suppress(OSError):
                path.parent.rmdir()


def alone_in_run(folder: str | os.PathLike[str]) -> AbstractContextManager[None]:
    """Keep other processes out of the folder of a run, as :func:`alone` does.

    Args:
        folder (str | PathLike): It may not exist.

    Raises:
        UserError: If a run is at work in it.
    """
    return alone(Path(folder, LOCK_OF_RUN), f'is at work in {os.fspath(folder)}: wait until it has ended, or give '
                 'another folder')


def is_empty(folder: str | os.PathLike[str]) -> bool:
    """Whether a folder is missing, or has nothing in it but a lock.

    Args:
        folder (str | PathLike): No file.
    """
    return not os.path.isdir(folder) or set(os.listdir(folder)) <= {LOCK_OF_RUN}


def take(lock: IO[str]) -> bool:
    """Take the lock of an open file without waiting for it; again, if it is taken already.

    Args:
        lock (IO[str]): Open for writing.

    Returns:
        bool: False if another process holds it. True also where a file system has no locks.
    """
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # ENOLCK, EOPNOTSUPP, ...: as some network file systems have it
        return True
    return True


def _open(path: Path, cure: str) -> IO[str]:
    """The file of the lock, which is taken and names this process."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = open_own(path)
        except OSError as error:
            raise UserError(f'{path} cannot be written to ({error.strerror}), which keeps a second process out: '
                            'correct its permissions or move it away, or give another folder') from error
        try:
            taken = take(lock)
            if taken and not _is_at(lock, path):
                lock.close()  # who held it has removed it since it was opened
                continue
            lock.seek(0)
            told = lock.read(1000)
            ours = OURS.fullmatch(told)
            if not taken:
                raise UserError(f'{told if told and ours else "another process"} {cure}')
            if not ours:
                raise UserError(f'{path}, which keeps a second process out, is a file of somebody else: move it away, '
                                'or give another folder')
            lock.truncate(0)
            lock.write(f'process {os.getpid()} on {socket.gethostname()}')
            lock.flush()
            return lock
        except BaseException:
            lock.close()
            raise


def _is_at(lock: IO[str], path: Path) -> bool:
    """Whether an open file still is the one of that path."""
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.lstat())
    except FileNotFoundError:
        return False


def _leave_to_parent() -> None:
    """In a fork, such as a loader's worker: it may outlive this process, and the lock must not."""
    for lock in _held.values():
        lock.close()
    _held.clear()


os.register_at_fork(after_in_child=_leave_to_parent)
