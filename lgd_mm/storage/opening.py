"""Files that are read from their beginning, wherever they lie."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lgd_mm.io.files import open_plain
from lgd_mm.storage.objects import version_of
from lgd_mm.storage.pieces import PIECE, read_range
from lgd_mm.storage.urls import is_url


@contextmanager
def opened(path: str) -> Iterator[io.BufferedReader]:
    """Open a plain file, or an object in a store, for reading.

    Args:
        path (str): Path or URL.

    Yields:
        io.BufferedReader: It can be sought in.

    Raises:
        OSError: Of a file, as :func:`lgd_mm.io.files.open_plain`.
        UserError: Of an object, if it cannot be reached.
    """
    if is_url(path):
        yield io.BufferedReader(Object(path), PIECE)
    else:
        with open_plain(path) as file:
            yield io.BufferedReader(file)


class Object(io.RawIOBase):
    """An object in a store, as a file.

    Args:
        url (str): Of the object.
    """

    def __init__(self, url: str) -> None:
        self._url, self._size, self._place = url, version_of(url).size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}[whence]
        self._place = max(0, begin + offset)
        return self._place

    def readinto(self, buffer: Any) -> int:
        content = read_range(self._url, self._place, max(0, min(len(buffer), self._size - self._place)))
        buffer[:len(content)] = content  # less than was asked for if another one has taken the object's place
        self._place += len(content)
        return len(content)
