"""The files in which predictions are left: COCO's results, tables, names of classes. Written entry by entry, for there
may be millions of images."""

import csv
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from lgd_mm.console.printable import printable
from lgd_mm.io.files import replacing, write_text
from lgd_mm.prediction.ids import Ids
from lgd_mm.prediction.table import table_rows

#: Columns of a table of a classifier's predictions.
COLUMNS = ('picture', 'rank', 'name', 'score')


def write_images(out: Path, images: Iterable[Mapping[str, Any]], categories: Sequence[Mapping[str, Any]]) -> Path:
    """Write the images in COCO's format, as a set without annotations, for which results can be loaded.

    Args:
        out (Path): Folder.
        images (Iterable[Mapping[str, Any]]): Each with ``id``, ``file_name``, ``width`` and ``height``.
        categories (Sequence[Mapping[str, Any]]): Each with ``id`` and ``name``.

    Returns:
        Path: The file.
    """
    with _text(out / 'images.json') as file:
        file.write(f'{{"categories": {json.dumps(list(categories))},\n"annotations": [],\n"images": ')
        _write_list(file, images)
        file.write('}\n')
    return out / 'images.json'


def write_results(out: Path, entries: Iterable[tuple[int, Mapping[str, Any]]], ids: Ids) -> Path:
    """Write objects in COCO's format for results.

    Args:
        out (Path): Folder.
        entries (Iterable[tuple[int, Mapping[str, Any]]]): Ids of images and their entries.
        ids (Ids): Of the categories.

    Returns:
        Path: The file.
    """
    def results() -> Iterator[Mapping[str, Any]]:
        for image, entry in entries:
            for item in entry['found']:
                yield dict(image_id=image, category_id=ids.categories[item['label']],
                           **{key: value for key, value in item.items() if key != 'label'})

    with _text(out / 'predictions.json') as file:
        _write_list(file, results())
    return out / 'predictions.json'


def write_table(out: Path, entries: Iterable[Mapping[str, Any]], root: str, classes: Sequence[str]) -> Path:
    """Write the best classes of each image, as zero-shot classification does.

    Args:
        out (Path): Folder.
        entries (Iterable[Mapping[str, Any]]): Of the images.
        root (str): Where their names begin.
        classes (Sequence[str]): Names of the classes.

    Returns:
        Path: The file.
    """
    with _text(out / 'predictions.csv') as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for entry in entries:
            best = [(printable(classes[label]), f'{score:.4f}') for label, score in entry['found']]
            table.writerows(table_rows(os.path.join(root, entry['name']), best))
    return out / 'predictions.csv'


def write_classes(out: Path, classes: Sequence[str]) -> Path:
    """Write the names of the classes, a line each, that of class 0 first, as ``docs/own_data.md`` has it.

    Returns:
        Path: The file.
    """
    write_text(out / 'classes.txt', ''.join(f'{printable(name)}\n' for name in classes))
    return out / 'classes.txt'


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    # Linux takes any bytes as the name of a file: they are written as they are.
    with replacing(path) as part, part.open('w', newline='', encoding='utf-8', errors='surrogateescape') as file:
        yield file


def _write_list(file: TextIO, items: Iterable[Mapping[str, Any]]) -> None:
    """A JSON list, an item on each line."""
    before = '[\n'
    for item in items:
        file.write(before + json.dumps(item))
        before = ',\n'
    file.write('[]' if before == '[\n' else '\n]')
