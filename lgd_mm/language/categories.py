"""What ``categories`` may be: a set, a file, a data set type, a list, or a union of the first three."""

import re
from collections.abc import Sequence
from pathlib import Path

from lgd_mm.console.printable import shown
from lgd_mm.console.words import did_you_mean
from lgd_mm.errors import UserError
from lgd_mm.io.texts import read_json, read_text
from lgd_mm.language.category_sets import CATEGORY_SETS, metainfo_classes
from lgd_mm.language.cleaning import clean_names

DATASET_TYPE = re.compile(r'[a-z_]\w*\.[A-Z]\w*')


def category_names(source: str | Sequence[str]) -> list[str]:
    """Names of the categories, cleaned and all different.

    Args:
        source (str | Sequence[str]): A set (``'imagenet'``, ``'caltech256'``, ``'coco'``, ``'lvis'``, ``'ade20k'``,
            ``'cityscapes'``), a UTF-8 text file with a name on each line (``.txt``), a COCO-format file (``.json``), a
            data set type with classes in its METAINFO (``'mmdet.CocoDataset'``), several of these joined by ``+``, or
            the names themselves.

    Returns:
        list[str]: C names. In a union, a name that came before is left out.

    Raises:
        UserError: If the source is unknown, cannot be read, is empty or repeats a name.
    """
    if isinstance(source, (list, tuple)):
        return _writable(clean_names(source, 'categories'))
    if not isinstance(source, str):
        raise UserError(f'categories is {shown(source)}: give a set, a file, a data set type or a list of names')
    union: dict[str, str] = {}
    for part in _parts(source):
        for name in clean_names(_read(part), part):
            union.setdefault(name.casefold(), name)
    return list(union.values())


def _writable(names: list[str]) -> list[str]:
    """The names; from a command line may come bytes that are no text."""
    for name in names:
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise UserError(f'categories: {shown(name)} is no text in UTF-8: write it anew') from error
    return names


def _parts(source: str) -> list[str]:
    """The members of a union; a file whose own name holds a ``+`` is no union."""
    return [source] if Path(source).is_file() else [part.strip() for part in source.split('+')]


def _read(source: str) -> list[str]:
    if source in CATEGORY_SETS:
        return CATEGORY_SETS[source]()
    if source.endswith('.json'):
        return _read_coco(Path(source))
    if source.endswith('.txt'):
        return read_lines(Path(source), 'categories')
    if DATASET_TYPE.fullmatch(source):
        return metainfo_classes(source)
    raise UserError(f'categories: no set is called {shown(source)}; {did_you_mean(source, CATEGORY_SETS)}there are '
                    f'{", ".join(CATEGORY_SETS)}, files ending in .txt or .json, and data set types such as '
                    "'mmdet.CocoDataset'")


def _read_coco(path: Path) -> list[str]:
    """Names of a COCO-format file in the order of their ids."""
    content = read_json(path, 'categories')
    try:
        categories = sorted(content['categories'], key=lambda category: category['id'])
        return [category['name'] for category in categories]
    except (KeyError, TypeError) as error:
        raise UserError(f'categories: {path} is not in COCO format: it needs a list "categories" whose entries have '
                        '"id" and "name"') from error


def read_lines(path: Path, key: str) -> list[str]:
    """Read the lines of a UTF-8 file that say something: neither blank nor a comment (``#`` first).

    Args:
        path (Path): File.
        key (str): The config key that names it, for messages.

    Returns:
        list[str]: Stripped lines.

    Raises:
        UserError: If it cannot be read or is not UTF-8.
    """
    lines = (line.strip() for line in read_text(path, key).split('\n'))
    return [line for line in lines if line and not line.startswith('#')]
