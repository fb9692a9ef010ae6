"""Names of images in a folder of their own."""

import os
from collections.abc import Sequence
from pathlib import Path


def names_below(paths: Sequence[Path]) -> dict[Path, Path]:
    """Paths of images below the folder that all of them lie in: no two are the same.

    Args:
        paths (Sequence[Path]): Whole paths.

    Returns:
        dict[Path, Path]: In the same order.
    """
    folder = os.path.commonpath([path.parent for path in paths]) if paths else ''
    return {path: path.relative_to(folder) for path in paths}
