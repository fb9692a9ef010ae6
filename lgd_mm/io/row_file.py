"""Rows of a file of which few are wanted, here and there."""

import os
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from lgd_mm.io.files import open_plain
from lgd_mm.io.rows import array_head, check_holds


class RowFile:
    """Rows in NumPy's form, each of which is read when it is asked for.

    Unlike those of a memory map, such a row costs the same in a large file as in a small one (no page is added to the
    process), and a file that is cut off while it is open does not end the process.

    Args:
        path (str | Path): The file.
        row (np.dtype): Of one of them.
        count (int): How many.

    Raises:
        OSError: If the file cannot be opened.
        ValueError: If it holds something else.
    """

    def __init__(self, path: str | Path, row: np.dtype[Any], count: int) -> None:
        self._start, self._size, self._count = len(array_head(row, count)), row.itemsize, count
        with open_plain(path) as file:
            check_holds(file, row, count)
            self._file = os.dup(file.fileno())
        weakref.finalize(self, os.close, self._file)

    def __getitem__(self, number: int) -> bytes:
        """A row; fewer bytes, if the file was cut off.

        Raises:
            IndexError: If there is none of that number.
        """
        if not 0 <= number < self._count:
            raise IndexError(number)
        return os.pread(self._file, self._size, self._start + number * self._size)

    def expect(self, numbers: Iterable[int]) -> None:
        """Have some rows read from the disk, all at a time, that are asked for soon."""
        if hasattr(os, 'posix_fadvise'):
            for number in numbers:
                os.posix_fadvise(self._file, self._start + number * self._size, self._size, os.POSIX_FADV_WILLNEED)
