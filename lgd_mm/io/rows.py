"""Files of rows in NumPy's form: each is there as a whole or not at all, and is told from a damaged one."""

import functools
import io
import json
import mmap
import os
import zlib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lgd_mm.errors import UserError
from lgd_mm.io.files import open_plain, replacing


def write_whole(file: Path, content: bytes | memoryview) -> None:
    """Write a file, and its folder, so that it is there as a whole or not at all.

    Raises:
        UserError: If it cannot be written.
    """
    try:
        with replacing(file) as part:
            part.write_bytes(content)
    except OSError as error:
        raise UserError(f'{file} cannot be written ({error.strerror or error}): free disk space or correct the '
                        'permissions there; the same command goes on') from error


def saved(rows: NDArray[Any]) -> memoryview:
    """What ``np.save`` writes."""
    content = io.BytesIO()
    np.save(content, rows)
    return content.getbuffer()


def in_parts(count: int, size: int) -> Iterator[tuple[int, range]]:
    """Number of each part of so many images, and its images.

    Args:
        count (int): All images.
        size (int): Images of a part.
    """
    for start in range(0, count, size):
        yield start // size, range(start, min(start + size, count))


def row_checksum(row: bytes, begin: int = 0) -> int:
    """CRC-32 of a row without its last field, where that is kept.

    Args:
        row (bytes): All its bytes.
        begin (int): CRC-32 of what else makes the row what it is. Defaults to 0: nothing.
    """
    return zlib.crc32(memoryview(row)[:-4], begin)


def about_checksum(about: Mapping[str, Any]) -> int:
    """CRC-32 of what is said of a whole store, without ``check``, where that is kept.

    Args:
        about (Mapping[str, Any]): As JSON has it.
    """
    said = {key: value for key, value in about.items() if key != 'check'}
    return zlib.crc32(json.dumps(said, sort_keys=True).encode())


def check_empty(file: Path, store: str) -> None:
    """See that a folder in which a store is to begin holds nothing else.

    Args:
        file (Path): In the folder: what the store begins with, which another process may write meanwhile.
        store (str): What it is, for messages: ``'teacher cache'``.

    Raises:
        UserError: If it does.
    """
    other = next((path for path in file.parent.glob('*') if not path.name.startswith('.')), None)
    if other not in (None, file):
        raise UserError(f'{file.parent} holds {other.name} but no {file.name}, so it is no {store}: give another --out')


def check_no_links(folder: Path, patterns: Sequence[str], store: str) -> None:
    """See that the folders of a store are its own.

    Args:
        folder (Path): Of the store.
        patterns (Sequence[str]): Of the names of the folders in it.
        store (str): What it is, for messages: ``'cache'``.

    Raises:
        UserError: If one is a link.
    """
    link = next((path for pattern in patterns for path in folder.glob(pattern) if path.is_symlink()), None)
    if link is not None:
        raise UserError(f'{link} is a link, and a {store} writes into no other folder: remove it, or give another '
                        '--out')


def check_holds(file: FileIO, row: np.dtype[Any], count: int) -> None:
    """See that a file has the head and the length of so many rows.

    Args:
        file (FileIO): At its beginning.
        row (np.dtype): Of one of them.
        count (int): How many.

    Raises:
        ValueError: If it does not.
    """
    head = array_head(row, count)
    if file.read(len(head)) != head or os.fstat(file.fileno()).st_size != len(head) + count * row.itemsize:
        raise ValueError('it holds something else')


def is_whole(file: Path, row: np.dtype[Any], count: int) -> bool:
    """Whether a file begins and ends as one of that many rows does: the first field of none is all zeros."""
    try:
        with open_plain(file) as stream:
            check_holds(stream, row, count)
            stream.seek(-row.itemsize, os.SEEK_END)
            last = np.frombuffer(stream.read(row.itemsize), row)
    except (OSError, ValueError):  # it is not there, or not whole
        return False
    return bool((last[row.names[0]] if row.names else last).any())


def open_rows(file: Path, row: np.dtype[Any], count: int, store: str, tool: str,
              scattered: bool = False) -> NDArray[Any]:
    """The rows of a file, not read yet.

    Args:
        file (Path): Of :func:`saved` rows.
        row (np.dtype): Of one of them.
        count (int): How many.
        store (str): What the file is a part of, for messages: ``'teacher cache'``.
        tool (str): What writes it: ``'tools/cache_teacher.py'``.
        scattered (bool): Few of them are wanted, here and there: their neighbours are not read along. Defaults to
            False.

    Returns:
        np.ndarray: (count, ), memory-mapped.

    Raises:
        UserError: If the file is gone or holds something else.
    """
    try:
        with open_plain(file) as stream:
            check_holds(stream, row, count)
            content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        if scattered and hasattr(mmap, 'MADV_RANDOM'):
            content.madvise(mmap.MADV_RANDOM)
        return np.frombuffer(content, row, count, len(array_head(row, count)))
    except OSError as error:
        raise UserError(f'{file} of the {store} cannot be read ({error.strerror or error}): call {tool} again, or '
                        'allow more open files') from error
    except ValueError as error:
        raise UserError(f'{file} is no file of this {store}: remove it and call {tool} again') from error


class OpenFiles(dict[Hashable, NDArray[Any]]):
    """Rows of files that stay open, of which few rows each are wanted; the file used longest ago comes first.

    Args:
        most (int): Files; of more, the one used longest ago is closed. A process may open about a thousand. Defaults to
            128.
    """

    def __init__(self, most: int = 128) -> None:
        super().__init__()
        self.most = most

    def __reduce__(self) -> tuple[Any, ...]:
        """Without what is open: a loader's worker opens its own."""
        return OpenFiles, (self.most, )

    def rows(self, key: Hashable, opened: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The rows of a file.

        Args:
            key (Hashable): Of it.
            opened (Callable[[], np.ndarray]): Opens it.
        """
        rows = self.pop(key, None)
        if rows is None:
            rows = opened()
            if len(self) >= self.most:
                del self[next(iter(self))]
        self[key] = rows
        return rows


@functools.cache
def array_head(row: np.dtype[Any], count: int) -> bytes:
    """What ``np.save`` writes in front of that many rows."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        content, dict(descr=np.lib.format.dtype_to_descr(row), fortran_order=False, shape=(count, )))
    return content.getvalue()
