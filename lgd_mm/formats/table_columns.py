"""Tables of images and labels, known by the names of their columns."""

import csv
from pathlib import Path

from lgd_mm.formats.part_names import split_of
from lgd_mm.io.files import open_plain

#: Names of the columns, in small letters.
IMAGE = ('image', 'filename', 'file_name', 'file', 'path', 'image_path', 'filepath', 'image_id', 'img', 'name', 'id')
LABEL = ('label', 'class', 'category', 'labels', 'class_name', 'species', 'target', 'breed', 'y')
SPLIT = ('split', 'set', 'subset', 'part', 'fold', 'data set')
#: Of tables of boxes.
BOX = ('xmin', 'x1', 'bbox', 'x_min')
#: Bytes that hold the names of the columns.
HEAD = 2**16


def tables(root: Path) -> list[Path]:
    """Tables of a set, in its folder or in those of its parts.

    Args:
        root (Path): The folder.
    """
    found = [path for pattern in ('*.csv', '*.tsv', '*/*.csv', '*/*.tsv') for path in sorted(root.glob(pattern))
             if path.is_file() and not path.name.startswith('.') and _is_of_labels(path)]
    outer = [path for path in found if path.parent == root]
    return [path for path in outer or found if path.parent == root or split_of(path.parent.name)]


def head_of(text: str) -> tuple[str, list[str]]:
    """What divides the columns of a table, and their names.

    Args:
        text (str): The table, or its beginning.
    """
    head = text.partition('\n')[0][:HEAD]
    delimiter = max(',;\t', key=head.count)
    return delimiter, [cell.strip() for cell in next(csv.reader([head], delimiter=delimiter), [])]


def _is_of_labels(path: Path) -> bool:
    """Whether a table has columns of images and of labels, or is one of Roboflow's."""
    try:
        with open_plain(path) as file:
            start = file.read(HEAD).decode('utf-8-sig', errors='replace')
    except OSError:
        return False
    names = {name.lower() for name in head_of(start.replace('\r', '\n'))[1]}
    return path.name == '_classes.csv' and bool(names & set(IMAGE)) or bool(names & set(IMAGE) and names & set(LABEL))
