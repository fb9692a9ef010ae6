"""Files that are written whole or not at all, and read only where reading comes to an end."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from threading import get_native_id
from typing import IO, Any

#: Ending of unfinished files: what is left of processes that were killed.
PART = '.part'
#: Bytes above which a file is looked at for what the disk has of it.
LARGE = 2**28
#: What else than a plain file a path may be; one could wait for some of them, or read from them, without end.
KINDS = {stat.S_IFIFO: 'a pipe', stat.S_IFCHR: 'a device', stat.S_IFBLK: 'a device', stat.S_IFSOCK: 'a socket'}


@contextmanager
def open_plain(path: str | os.PathLike[str]) -> Iterator[FileIO]:
    """Open a plain file; never wait for a pipe or read from a device.

    Args:
        path (str | PathLike): The file.

    Yields:
        FileIO: Not buffered.

    Raises:
        OSError: If it cannot be opened, is no plain file, or a large one that holds next to nothing; its ``strerror``
            says so.
    """
    with open(path, 'rb', buffering=0, opener=_without_waiting) as file:
        status = os.fstat(file.fileno())
        kind = KINDS.get(stat.S_IFMT(status.st_mode))
        if kind:
            raise OSError(errno.EINVAL, f'it is {kind} and no plain file', os.fspath(path))
        if status.st_size > LARGE and _is_hollow(file.fileno(), status.st_size):
            raise OSError(errno.EINVAL, f'it has {status.st_size:,} bytes, next to none of which were ever written',
                          os.fspath(path))
        yield file


def read_plain(path: str | os.PathLike[str], limit: int | None = None) -> bytes:
    """Read a plain file.

    Args:
        path (str | PathLike): The file.
        limit (int, optional): Bytes it may have. Defaults to None: any number.

    Returns:
        bytes: Its content.

    Raises:
        OSError: If it cannot be read, is no plain file, or is larger; its ``strerror`` says so.
    """
    with open_plain(path) as file:
        size = os.fstat(file.fileno()).st_size
        if limit is not None and size > limit:
            raise OSError(errno.EINVAL, f'it has {size:,} bytes, and {limit:,} are the most that are read',
                          os.fspath(path))
        try:
            return file.readall()
        except MemoryError:
            raise OSError(errno.ENOMEM, f'it has {size:,} bytes, more than there is memory for', os.fspath(path)
                          ) from None


def _is_hollow(file: int, size: int) -> bool:
    """Whether the disk has less than a sixteenth of a file: the rest reads as zeros, of any number."""
    written = place = 0
    while 16 * written < size:
        try:
            start = os.lseek(file, place, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # the file system does not tell
                written = size
            break  # nothing behind this place
        place = os.lseek(file, start, os.SEEK_HOLE)
        written += place - start
    os.lseek(file, 0, os.SEEK_SET)
    return 16 * written < size


def open_own(path: str | os.PathLike[str]) -> IO[str]:
    """Open a file that is this package's own, such as a lock or a log, for reading and appending; it is made if it is
    missing. What lies in its place and leads elsewhere is not followed, nor written to.

    Args:
        path (str | PathLike): The file; its folder exists.

    Returns:
        IO[str]: Of UTF-8 text.

    Raises:
        OSError: If it cannot be opened, is no plain file, or is a link, soft or hard; its ``strerror`` says so.
    """
    return open(path, 'a+', encoding='utf-8', errors='replace', opener=_without_following)


def _without_following(path: str, flags: int) -> int:
    """Opens no link, and nothing else than a plain file of one name."""
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(error.errno, 'it is a link', os.fspath(path)) from error
        raise
    status = os.fstat(descriptor)
    kind = KINDS.get(stat.S_IFMT(status.st_mode)) or ('a link to another file' if status.st_nlink > 1 else None)
    if kind:
        os.close(descriptor)
        raise OSError(errno.EINVAL, f'it is {kind}', os.fspath(path))
    return descriptor


def _without_waiting(path: str, flags: int) -> int:
    """Opens a pipe without a writer at once."""
    return os.open(path, flags | os.O_NONBLOCK)


def unfinished(path: Path) -> Path:
    """The name of a file while it is written, beside the place that :func:`os.replace` gives it. Nothing lies there,
    such as what a killed process left, or a link of somebody else through which would be written.

    Args:
        path (Path): The file.

    Returns:
        Path: Hidden; nobody else may write the same file.
    """
    part = path.with_name(f'.{path.name}{PART}')
    part.unlink(missing_ok=True)
    return part


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary file beside a file, whose place it takes once the block has ended and the disk has it.

    Whoever reads meanwhile sees the old file; so does everybody after a crash, at whatever moment. Threads and
    processes, also of several machines, may write the same file at once: the last one's stays.

    Args:
        path (str | PathLike): The file; its folder is made if it is missing.

    Yields:
        Path: The temporary file, for the block to write; it is gone if the block fails.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = unfinished(path.with_name(f'{path.name}.{os.uname().nodename}.{get_native_id()}'))
    try:
        yield part
        _sync(part)
        os.replace(part, path)
        with suppress(OSError):  # some network file systems sync no folders, and not every folder may be read
            _sync(path.parent)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write a UTF-8 file whole or not at all.

    Args:
        path (str | PathLike): The file; its folder is made if it is missing.
        text (str): Its content.
    """
    with replacing(path) as part:
        part.write_text(text, encoding='utf-8')


def save_torch(path: str | os.PathLike[str], content: Any) -> None:
    """Write a ``torch.save`` file whole or not at all.

    Args:
        path (str | PathLike): The file; its folder is made if it is missing.
        content (Any): Tensors, and containers of them.

    Raises:
        OSError: If the disk refuses, with its own words.
    """
    import torch

    with replacing(path) as part, part.open('wb') as file:
        try:
            torch.save(content, file)
        except RuntimeError as error:  # torch's writer stumbles while it closes, and hides what the disk said
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def remove_parts(folder: str | os.PathLike[str], pattern: str) -> None:
    """Remove unfinished files in a folder in which nobody else writes.

    Args:
        folder (str | PathLike): May not exist.
        pattern (str): Of the files' own names.
    """
    for part in Path(folder).glob(f'.{pattern}.*{PART}'):
        with suppress(OSError):
            part.unlink()


def remove_content(folder: str | os.PathLike[str], *kept: str) -> None:
    """Remove what is in a folder, as far as that is possible; links are removed, not what they lead to.

    Args:
        folder (str | PathLike): May not exist.
        *kept (str): Names in it that stay.
    """
    for entry in Path(folder).glob('*'):
        if entry.name not in kept:
            remove(entry)


def remove(path: Path) -> None:
    """Remove a file, a link, or a folder with all that is in it, as far as that is possible.

    Args:
        path (Path): May not exist.
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _sync(path: Path) -> None:
    """Wait until the disk has a file, or the names in a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
