"""Links below a data set's folder, and names in its lists: what leads outside is neither changed nor taken in."""

import os
from pathlib import Path

from lgd_mm.console.printable import shown
from lgd_mm.errors import UserError


def refuse_links(root: Path, *paths: Path) -> None:
    """Raise before something is changed that a link leads to.

    Args:
        root (Path): What the user gave; this may be a link itself.
        *paths (Path): Below the root; what will be moved, or written to.

    Raises:
        UserError: If one of them, or a folder between it and the root, is a link.
    """
    for path in paths:
        for link in (path, *path.parents):
            if link == root:
                break
            if link.is_symlink():
                raise UserError(f'{link} is a link to {_real(link)}, and nothing behind it is changed: prepare '
                                'that folder, or link the part itself')


def refuse_outside(root: Path, folder: str, source: str, path: Path) -> None:
    """Raise for a file that a list or an annotation names and that is not a plain one of the data set.

    Args:
        root (Path): What the user gave; this may be a link itself.
        folder (str): Below the root, where such files lie; whoever made the data set may have linked it as a whole.
        source (str): What names it, for the message.
        path (Path): The file; it may not exist.

    Raises:
        UserError: If it lies elsewhere, by its name or as a link, or is a pipe or a device.
    """
    named = path.relative_to(root / folder).parts if path.is_relative_to(root / folder) else ('..',)
    if '\0' in str(path) or '..' in named or not any(
            _real(path).is_relative_to(_real(place)) for place in (root, root / folder)):
        raise UserError(f'{source} names {shown(os.path.relpath(str(path), root))}, which leads out of {root}: name '
                        'what is below it, and copy there what a link leads to')
    if os.path.exists(path) and not os.path.isfile(path):
        raise UserError(f'{path} is no plain file: put the file itself there')


def refuse_file_links(root: Path, *paths: Path) -> None:
    """Raise for single files that are links out of a folder; what whole folders lead to belongs to it.

    Args:
        root (Path): What the user gave; this may be a link itself.
        *paths (Path): Of files below it.

    Raises:
        UserError: If one leads neither to a place below the root nor to one below the folder that it lies in.
    """
    for path in paths:
        if path.is_symlink() and not any(_real(path).is_relative_to(_real(place)) for place in (root, path.parent)):
            raise UserError(f'{path} is a link to {_real(path)}, which lies outside {root} and is no image: remove '
                            'it, or copy there what it leads to')


def _real(path: Path) -> Path:
    """Where a path leads; unlike Path.resolve(), also where links lead in a circle."""
    return Path(os.path.realpath(path))
