"""The part of the local disk that holds copies of objects, within a bound."""

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from lgd_mm.errors import ExhaustedError, UserError
from lgd_mm.io.cache import cache_folder
from lgd_mm.io.files import PART, replacing
from lgd_mm.storage.objects import Version

#: Bytes that copies take when ``LGD_STORAGE_GB`` does not say how many.
ROOM = 20 * 10**9
#: Copies that a process makes before it looks how much room all take.
LOOK_EACH = 16
#: Share of the room that is left when the oldest copies are removed.
KEPT = 0.9
#: Locks, each of many copies.
LOCKS = 256
#: Seconds after which an unfinished copy is taken for one of a process that was killed.
FORGOTTEN = 3600
_written = count()


def room() -> int:
    """Bytes that copies may take.

    Raises:
        UserError: If ``LGD_STORAGE_GB`` is no number above 0.
    """
    text = os.environ.get('LGD_STORAGE_GB', '')
    try:
        size = float(text) * 1e9 if text else ROOM
    except ValueError:
        size = 0
    if not 0 < size < float('inf'):
        raise UserError(f'LGD_STORAGE_GB is {text!r}: set it to the GB that copies of objects may take here, such as '
                        '20')
    return int(size)


def copy_of(url: str, version: Version, name: str, make: Callable[[], Iterable[bytes]]) -> Path:
    """A file with a part of an object, which is made unless it is there.

    Several processes may ask for it at once: one makes it, the others wait.

    Args:
        url (str): Of the object.
        version (Version): Of it: another content has other copies.
        name (str): Of the part.
        make (Callable[[], Iterable[bytes]]): Fetches it, bit by bit.

    Returns:
        Path: The file. It is removed when others are used more and room is needed; what is open stays readable.

    Raises:
        UserError: If it cannot be fetched or written.
    """
    said = '\0'.join((url, str(version.size), version.tag))
    digest = hashlib.sha256(said.encode(errors='surrogateescape')).hexdigest()
    # Few folders, which stay: those of a hundred thousand shards would take longer to look through than copies to make.
    file = cache_folder('objects') / digest[:2] / f'{digest[2:]}-{name}'
    if not _used(file):
        with _alone(str(file)):
            if not _used(file):
                _write(file, make(), url)
    return file


def _used(file: Path) -> bool:
    """Whether a copy is there; it counts as young then."""
    try:
        os.utime(file)
    except OSError:
        return False
    return True


def _write(file: Path, content: Iterable[bytes], url: str) -> None:
    try:
        with replacing(file) as part, part.open('wb') as whole:
            whole.writelines(content)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        cure = 'free disk space, set LGD_STORAGE_GB to less' if full else 'correct the permissions there'
        kind = ExhaustedError if full else UserError
        raise kind(f'{file.parent} cannot take a copy of a part of {url} ({error.strerror or error}): {cure}, or '
                   'set LGD_CACHE_DIR to a folder on another disk') from error
    if next(_written) % LOOK_EACH == 0:
        make_room(room())


def make_room(most: int) -> None:
    """Remove the copies that were not used for longest, if all take more.

    Args:
        most (int): Bytes.
    """
    found, now = [], time.time()
    for path in cache_folder('objects').glob('*/*'):
        with suppress(OSError):  # removed by another process
            status = path.stat()
            if not path.name.endswith(PART) or status.st_mtime < now - FORGOTTEN:
                found.append((status.st_mtime_ns, status.st_size, path))
    taken = sum(size for _, size, _ in found)
    if taken <= most:
        return
    for used, size, path in sorted(found):
        if taken <= KEPT * most:
            break
        with suppress(OSError):
            if path.stat().st_mtime_ns > used:  # by somebody who is about to open it
                continue
            path.unlink()
        taken -= size


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """Keep other processes and threads from making the same copy."""
    number = int(hashlib.sha256(name.encode()).hexdigest(), 16) % LOCKS
    folder = cache_folder('objects')
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / f'.lock{number:03d}', os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise UserError(f'{folder} cannot be written ({error.strerror}): correct the permissions there, or set '
                        'LGD_CACHE_DIR to another folder') from error
    try:
        with suppress(OSError):  # a file system without locks: two may make it
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_UN)  # a process that was forked meanwhile has it open, too
        os.close(lock)
