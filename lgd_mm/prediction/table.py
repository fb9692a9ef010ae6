"""The table that classification leaves: what is in its place is another such table, or nothing."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError
from lgd_mm.io.files import open_plain, replacing

COLUMNS = ['picture', 'rank', 'name', 'score', 'similarity']
#: What a spreadsheet takes for the beginning of a formula, also in the full width of Chinese and Japanese, and before
#: which it skips.
FORMULA = ('=', '+', '-', '@', '\t', '\r', '\n', '\uff1d', '\uff0b', '\uff0d', '\uff20')


def table_rows(path: str, best: Iterable[Sequence[str]]) -> Iterator[list[str | int]]:
    """Rows of an image.

    Args:
        path (str): Of the image.
        best (Iterable[Sequence[str]]): Names and their figures, the best first.

    Yields:
        list[str | int]: Path, rank, name and figures.
    """
    for rank, (name, *figures) in enumerate(best, 1):
        yield [safe_path(path), rank, safe_text(name), *figures]


def safe_text(text: str) -> str:
    """A text with a ``'`` before it if a spreadsheet would compute it, as it begins with ``=``, ``+``, ``-`` or ``@``.
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def safe_path(path: str) -> str:
    """A path with a ``./`` before it in that case: the same file."""
    return f'./{path}' if path.startswith(FORMULA) else path


def write_table(file: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """Write a table, whole or not at all.

    Args:
        file (Path): Replaced if it is a table of these columns.
        columns (Sequence[str]): Their names.
        rows (Iterable[Sequence]): With nothing that a spreadsheet would compute.

    Returns:
        Path: The file.

    Raises:
        UserError: If it cannot be written, or is any other file.
    """
    check_table(file, columns)
    try:
        # Linux takes any bytes as the name of a file: they are written as they are.
        with replacing(file) as part, part.open('w', newline='', encoding='utf-8', errors='surrogateescape') as stream:
            csv.writer(stream).writerows([columns, *rows])
    except OSError as error:
        raise UserError(f'{file} cannot be written ({error.strerror}): give another file') from error
    return file


def check_table(file: Path, columns: Sequence[str] = COLUMNS) -> None:
    """See that no other file would be replaced, such as an image that is classified, or the student.

    Args:
        file (Path): To be written; it may not exist.
        columns (Sequence[str]): Of the table. Defaults to :data:`COLUMNS`.

    Raises:
        UserError: If it is something else than a table of predictions, or nothing.
    """
    head = f'{",".join(columns)}\r\n'.encode()
    try:
        with open_plain(file) as stream:
            begins = stream.read(len(head))
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f'{file} cannot be written ({error.strerror}): give another file') from error
    if begins and begins != head:
        raise UserError(f'{file} exists and is no table of predictions: give another file, or remove it first')
