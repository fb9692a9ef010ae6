"""Category names as people give them."""

import os
from collections.abc import Sequence
from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.io.options import read_value
from lgd_mm.language import category_names

#: How names begin that are written as Python writes a list of them.
LIST = ('[', '(', '"', "'")


def parse_classes(classes: str | Path | Sequence[str]) -> str | list[str]:
    """Bring names into the form that configs take.

    Args:
        classes (str | Path | Sequence[str]): A set (``'coco'``), a text file with a name on each line, a COCO JSON,
            names separated by commas or as Python writes a list, several of these joined by ``+``, or the names.

    Returns:
        str | list[str]: A set by its name, everything else as the names: a config or checkpoint then needs no file.

    Raises:
        UserError: If there are no names, they cannot be read, or two of them are the same.
    """
    if isinstance(classes, Path):
        classes = str(classes)
    if isinstance(classes, str) and not classes.strip():
        raise UserError("classes is empty: give a set ('coco'), a file of names, or names separated by commas")
    if not isinstance(classes, str):
        classes = list(classes)
    elif classes.lstrip().startswith(LIST) and not os.path.exists(classes):
        classes = _listed(classes)
    elif ',' in classes and not os.path.exists(classes):  # unlike Path's, it takes a text of any length
        classes = [name.strip() for name in classes.split(',')]
    try:
        names = category_names(classes)
    except UserError as error:
        raise type(error)(str(error).replace('categories:', 'classes:', 1)) from error
    return names if isinstance(classes, list) or '.txt' in classes or '.json' in classes else classes


def _listed(classes: str) -> list[str]:
    """Names with quotes around them, whose commas are their own."""
    try:
        names = read_value(classes)
    except ValueError as error:
        raise UserError(f'classes: {classes} is no list of names ({error})') from error
    return list(names) if isinstance(names, (list, tuple)) else [names]
