"""Links below a data set's folder: they lead to what others may use, and nothing behind them is changed."""

from pathlib import Path

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
                raise UserError(f'{link} is a link to {link.resolve()}, and nothing behind it is changed: prepare that '
                                'folder, or link the part itself')
