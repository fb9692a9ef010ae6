"""A file in a second place, without its bytes a second time where that is possible."""

import os
import shutil
from pathlib import Path

from lgd_mm.io.files import unfinished


def link_or_copy(source: Path, target: Path) -> None:
    """Hard-link a file, or copy it where that is impossible: to another disk, or one without links.

    Args:
        source (Path): The file.
        target (Path): Its second place; its folder is there, and nothing lies in it.
    """
    try:
        os.link(source.resolve(), target)
    except OSError:
        part = unfinished(target)
        shutil.copyfile(source, part)
        os.replace(part, target)
