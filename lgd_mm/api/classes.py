"""Category names as people give them."""

from collections.abc import Sequence
from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.language import category_names


def parse_classes(classes: str | Path | Sequence[str]) -> str | list[str]:
    """Bring names into the form that configs take.

    Args:
        classes (str | Path | Sequence[str]): A set (``'coco'``), a text file with a name on each line, a COCO JSON,
            names separated by commas, several of these but the last joined by ``+``, or the names themselves.

    Returns:
        str | list[str]: A set by its name, everything else as the names: a config or checkpoint then needs no file.

    Raises:
        UserError: If there are no names, they cannot be read, or two of them are the same.
    """
    if isinstance(classes, Path):
        classes = str(classes)
    if isinstance(classes, str):
        if not classes.strip():
            raise UserError("classes is empty: give a set ('coco'), a file of names, or names separated by commas")
        if ',' in classes and not Path(classes).exists():
            return category_names([name.strip() for name in classes.split(',')])
        names = category_names(classes)
        return names if '.txt' in classes or '.json' in classes else classes
    return category_names(list(classes))
