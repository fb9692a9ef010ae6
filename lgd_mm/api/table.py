"""The table that zero-shot classification leaves: what is in its place is another such table, or nothing."""

from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.io.files import open_plain

COLUMNS = ['picture', 'rank', 'name', 'score', 'similarity']


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
