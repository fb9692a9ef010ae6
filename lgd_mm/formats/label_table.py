"""A CSV with the name and the label of each image."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from lgd_mm.console.printable import shown
from lgd_mm.console.words import some
from lgd_mm.errors import DataError
from lgd_mm.formats.image_index import ImageIndex, unannotated
from lgd_mm.formats.labelled_set import CLASSIFICATION, LabelledImage, LabelledSet
from lgd_mm.formats.notes import Notes
from lgd_mm.formats.part_names import WORDS, part_of, split_of
from lgd_mm.formats.splits import settle_splits
from lgd_mm.formats.table_columns import BOX, IMAGE, LABEL, SPLIT, head_of, tables
from lgd_mm.io.texts import read_text


def read(root: Path, share: float) -> LabelledSet:
    """Read a set.

    Args:
        root (Path): Its folder, with a CSV or TSV that has a head: a column of images, and one of labels, or (as
            Roboflow writes it) one of 0 and 1 for each class. A column ``split``, the table's name or its folder say
            which part an image is of.
        share (float): For ``'val'``, if there is none.

    Returns:
        LabelledSet: Classes in the order of their names; numbers in that of their size.

    Raises:
        UserError: If the table has no such columns, an image has two labels, or there is nothing to train with.
    """
    notes = Notes()
    index = ImageIndex(root, notes)
    rows = [row for path in tables(root) for row in _checked(path, notes)]
    if not rows:
        raise DataError(f'{root} has no table with a row of an image and its label: see docs/own_data.md')
    names = {label for _, _, label, _ in rows}
    classes = tuple(sorted(names, key=lambda name: (0, int(name), '') if name.isdecimal() else (1, 0, name)))
    if len(classes) < 2:
        raise DataError(f'{tables(root)[0]} has the one label {shown(classes[0])}: there is nothing to tell apart')
    labels = {name: label for label, name in enumerate(classes)}
    found: dict[str | None, list[LabelledImage]] = {}
    known: dict[tuple[Path, str | None], str] = {}
    for where, name, label, part in rows:
        path = index.find(name, where, [Path(where.partition(', line ')[0]).parent])
        if path is None:
            continue
        split = part or part_of(path.relative_to(index.root).parts[:-1])
        before = known.setdefault((path, split), label)
        if before != label:
            raise DataError(f'{where} gives {shown(name)} the label {shown(label)}, and a line before {shown(before)}: '
                            'leave one')
        found.setdefault(split, []).append(LabelledImage(path, label=labels[label]))
    unique = {split: list({image.path: image for image in images}.values()) for split, images in found.items()}
    twice = sum(map(len, found.values())) - sum(map(len, unique.values()))
    if twice:
        notes.add('lines say again what another one says', count=twice)
    for path in unannotated(index, (path for path, _ in known)):
        notes.add('images are in no line of a table and are left out', path.relative_to(index.root))
    return LabelledSet(root, 'csv', CLASSIFICATION, classes, settle_splits(unique, share, notes, root), notes)


def _checked(path: Path, notes: Notes) -> list[tuple[str, str, str, str | None]]:
    try:
        return list(_rows(path, notes))
    except csv.Error as error:
        raise DataError(f'{path} is no table ({error}): correct it') from error


def _rows(path: Path, notes: Notes) -> Iterator[tuple[str, str, str, str | None]]:
    """Line, image, label and part of each row."""
    text = read_text(path)
    delimiter, names = head_of(text)
    lines = _cells(path, text, delimiter)
    next(lines, None)
    lower = [name.lower() for name in names]
    if any(name in BOX for name in lower):
        raise DataError(f'{path} is a table of boxes, which is not read: write them as COCO JSON or as YOLO')
    image = next((lower.index(name) for name in IMAGE if name in lower), None)
    label = next((lower.index(name) for name in LABEL if name in lower), None)
    part = next((lower.index(name) for name in SPLIT if name in lower), None)
    classes = [at for at in range(len(names)) if at not in (image, part)]
    if image is None or label is None and len(classes) < 2:
        raise DataError(f'{path} has the columns {some([shown(name) for name in names], 8)}: name that of the images '
                        'image, and that of the labels label')
    for number, row in enumerate(lines, 2):
        where = f'{path}, line {number}'
        if not any(map(str.strip, row)):
            continue
        if len(row) != len(names):
            raise DataError(f'{where} has {len(row)} columns, and the head has {len(names)}: correct it')
        cells = [cell.strip() for cell in row]
        split = None if part is None else _part(cells[part], where)
        found = [cells[label]] if label is not None else _marked(cells, names, classes, where)
        if len(found) != 1 or not found[0]:
            notes.add(f'images have {"several labels" if len(found) > 1 else "no label"} and are dropped', cells[image])
            continue
        yield where, cells[image], found[0], split or split_of(path.stem) or split_of(path.parent.name)


def _cells(path: Path, text: str, delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(text.splitlines(), delimiter=delimiter)
    except csv.Error as error:  # such as quotes that never end
        raise DataError(f'{path} is no table of short texts ({error}): correct it') from error


def _marked(cells: Sequence[str], names: Sequence[str], classes: Sequence[int], where: str) -> list[str]:
    if not all(cells[at] in ('0', '1') for at in classes):
        raise DataError(f'{where} has neither a column label nor 0 and 1 for each class: name that of the labels label')
    return [names[at] for at in classes if cells[at] == '1']


def _part(text: str, where: str) -> str | None:
    if text and text.lower() not in WORDS:
        raise DataError(f'{where} is of the part {shown(text)}, and should be of train, val or test')
    return WORDS.get(text.lower())
