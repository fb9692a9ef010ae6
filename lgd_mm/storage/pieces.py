"""Byte ranges of objects, read through pieces on the local disk: neighbours come with one request."""

import os
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

from lgd_mm.errors import UserError
from lgd_mm.storage import room
from lgd_mm.storage.objects import Version, read_object, version_of

#: Bytes of a piece.
PIECE = 8 * 2**20
#: Requests that are made ahead at a time.
AHEAD = 8
_versions: dict[tuple[int, str], Version] = {}


def read_range(url: str, begin: int, size: int) -> bytes:
    """Bytes of an object, through the pieces that they lie in.

    Args:
        url (str): Of the object.
        begin (int): First byte.
        size (int): Bytes.

    Returns:
        bytes: Fewer where the object ends.

    Raises:
        UserError: If it is not there, cannot be reached, or a copy cannot be written.
    """
    found = []
    for number in _pieces(begin, size):
        start = number * PIECE
        first, last = max(begin, start) - start, min(begin + size, start + PIECE) - start
        found.append(_part_of(url, number, first, last - first))
    return b''.join(found)


def expect(ranges: Iterable[tuple[str, int, int]]) -> None:
    """Fetch the pieces of some byte ranges in the background, in their order, as far as they are not here.

    Args:
        ranges (Iterable[tuple[str, int, int]]): URL, first byte, bytes.
    """
    expected = _ahead(os.getpid())
    for url, begin, size in ranges:
        for number in _pieces(begin, size):
            expected.add(url, number)


class Ahead:
    """Threads that fetch pieces; they end with the process."""

    def __init__(self) -> None:
        self._wanted: set[tuple[str, int]] = set()
        self._queue: SimpleQueue[tuple[str, int]] = SimpleQueue()
        for _ in range(AHEAD):
            Thread(target=self._fetch, daemon=True).start()

    def add(self, url: str, number: int) -> None:
        """Fetch a piece, unless that is about to happen."""
        if (url, number) not in self._wanted:
            self._wanted.add((url, number))
            self._queue.put((url, number))

    def _fetch(self) -> None:
        while True:
            piece = self._queue.get()
            with suppress(UserError):  # told by who reads it
                _piece(*piece)
            self._wanted.discard(piece)


@lru_cache(1)
def _ahead(process: int) -> Ahead:
    """Of this process: a fork has no threads."""
    return Ahead()


def _pieces(begin: int, size: int) -> range:
    """Numbers of the pieces that a byte range lies in."""
    return range(begin // PIECE, -(-(begin + size) // PIECE))


def _piece(url: str, number: int) -> Path:
    """The file with a piece."""
    version = _version(url)
    begin, end = number * PIECE, min((number + 1) * PIECE, version.size)
    return room.copy_of(url, version, f'{number:06d}', lambda: [read_object(url, begin, end)])


def _version(url: str) -> Version:
    """Asked for once in each process."""
    key = os.getpid(), url
    if key not in _versions:
        _versions[key] = version_of(url)
    return _versions[key]


def _part_of(url: str, number: int, begin: int, size: int) -> bytes:
    """Some bytes of a piece."""
    while True:
        with suppress(FileNotFoundError), _piece(url, number).open('rb', buffering=0) as piece:  # removed at once
            return os.pread(piece.fileno(), size, begin)
