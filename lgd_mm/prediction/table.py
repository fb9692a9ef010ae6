"""The table that classification leaves: what is in its place is another such table, or nothing."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.io.files import open_plain

COLUMNS = ['picture', 'rank', 'name', 'score', 'similarity']
#: What a spreadsheet takes for the beginning of a formula, also in the full width of Chinese and Japanese, and before
#: which it skips.
FORMULA = ('=', '+', '-', '@', '\t', '\r', '\n', '\uff1d', '\uff0b', '\uff0d', '\uff20')


def table_rows(path: str, best: Iterable[Sequence[str]]) -> Iterator[list[str | int]]:
    """Rows of an image.

    A name that a spreadsheet would compute, as it begins with ``=``, ``+``, ``-`` or ``@``, has a ``'`` before it, a
    relative path of that kind a ``./``.

    Args:
        path (str): Of the image.
        best (Iterable[Sequence[str]]): Names and their figures, the best first.

    Yields:
        list[str | int]: Path, rank, name and figures.
    """
    cell = f'./{path}' if path.startswith(FORMULA) else path  # the same file
    for rank, (name, *figures) in enumerate(best, 1):
        yield [cell, rank, f"'{name}" if name.startswith(FORMULA) else name, *figures]


def check_table(file: Path) -> None:
    """See that no other file would be replaced, such as an image that is classified, or the student.

    Args:
        file (Path): To be written; it may not exist.

    Raises:
        UserError: If it is something else than a table of predictions, or nothing.
    """
    head = f'{",".join(COLUMNS)}\r\n'.encode()
    try:
        with open_plain(file) as stream:
            begins = stream.read(len(head))
    except FileNotFoundError:
        return
    except OSError as error:
        raise UserError(f'{file} cannot be written ({error.strerror}): give another file') from error
    if begins and begins != head:
        raise UserError(f'{file} exists and is no table of predictions: give another file, or remove it first')
