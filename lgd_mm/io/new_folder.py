"""Folders that are written whole or not at all."""

import fcntl
import glob
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Ending of unfinished folders, by which they are known as this package's own.
UNFINISHED = '.lgd_mm.part'


@contextmanager
def new_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary folder beside a folder that is missing or empty, whose place it takes once the block has ended.

    It is this process's own, so others may make the same folder meanwhile: the first one's stays, and is never
    written over. What killed processes left of it is removed, other folders are left alone.

    Args:
        path (str | PathLike): The folder; where it lies is made if it is missing.

    Yields:
        Path: The temporary folder, for the block to write into; it is gone if the block fails.

    Raises:
        OSError: If it cannot be written, or another process was first.
    """
    target = Path(os.path.realpath(path))
    stem = os.fsdecode(os.fsencode(f'.{target.name}')[:100])
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f'{glob.escape(stem)}.{"[0-9a-f]" * 32}{UNFINISHED}'):
        _remove_if_left(left)
    part, lock = _begin(target.with_name(stem))
    try:
        yield part
        os.rename(part, target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
        os.close(lock)


def _begin(stem: Path) -> tuple[Path, int]:
    """A new folder, and the lock on it that says that its process lives."""
    while True:
        part = stem.with_name(f'{stem.name}.{uuid.uuid4().hex}{UNFINISHED}')
        part.mkdir()
        with suppress(FileNotFoundError):  # taken for one that was left: it was not locked yet
            lock = os.open(part, os.O_RDONLY)
            with suppress(OSError):  # of a file system without locks
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if part.is_dir():
                return part, lock
            os.close(lock)


def _remove_if_left(part: Path) -> None:
    """Remove an unfinished folder whose process has ended; where there are no locks, nobody can know."""
    with suppress(OSError):
        lock = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(part, ignore_errors=True)
        finally:
            os.close(lock)
