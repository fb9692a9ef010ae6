"""``students.csv``: a row for each student, measured by ``tools/make_student_table.py``."""

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from lgd_mm.io.files import write_text

FILE = Path(__file__).with_name('students.csv')
#: The first line, before the version of timm.
MADE = '# made by tools/make_student_table.py with timm '
YES = 'yes'


@dataclass(frozen=True)
class StudentRow:
    """A student.

    Attributes:
        name (str): As ``--student`` takes it.
        parameters (int): Of the backbone without its classifier.
        size (int): Side of the images that it is made for, in pixels.
        only (bool): Whether it takes images of that side alone.
        strides (tuple[int, ...]): Of its maps, the finest first; empty if it has none.
        channels (tuple[int, ...]): Of the same maps.
        layout (str): Of the same maps, ``'NCHW'`` or ``'NHWC'``; empty if it has none.
    """

    name: str
    parameters: int
    size: int
    only: bool
    strides: tuple[int, ...]
    channels: tuple[int, ...]
    layout: str


def read_table(file: Path = FILE) -> tuple[str, list[StudentRow]]:
    """Read the table.

    Args:
        file (Path): Defaults to the package's own.

    Returns:
        tuple[str, list[StudentRow]]: The version of timm it was made with, and its rows, sorted by their names.
    """
    first, *lines = file.read_text(encoding='utf-8').splitlines()
    return first.removeprefix(MADE), [
        StudentRow(row['name'], int(row['parameters']), int(row['size']), row['only'] == YES, _numbers(row['strides']),
                   _numbers(row['channels']), row['layout']) for row in csv.DictReader(lines)]


def write_table(timm: str, rows: Iterable[StudentRow], file: Path = FILE) -> None:
    """Write the table, sorted by the names.

    Args:
        timm (str): The version of timm it was made with.
        rows (Iterable[StudentRow]): In any order.
        file (Path): Defaults to the package's own.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(field.name for field in fields(StudentRow))
    writer.writerows(list(map(_cell, astuple(row))) for row in sorted(rows, key=lambda row: row.name))
    write_text(file, f'{MADE}{timm}\n{text.getvalue()}')


def _numbers(cell: str) -> tuple[int, ...]:
    return tuple(map(int, cell.split()))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return YES if value else ''
    return ' '.join(map(str, value)) if isinstance(value, tuple) else str(value)
