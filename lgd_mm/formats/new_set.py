"""Where a set may be written."""

import os
from pathlib import Path

from lgd_mm.errors import UserError


def check_new_folder(source: str | Path, out: str | Path) -> None:
    """See that a set may be written to a folder.

    Args:
        source (str | Path): Folder of the set that is read.
        out (str | Path): Folder to write.

    Raises:
        UserError: If the first is none, or the second holds something or lies within the first.
    """
    if not os.path.isdir(source):
        raise UserError(f'{source} is no folder: give that of a data set, as in docs/own_data.md')
    target = Path(os.path.realpath(out))
    if target.exists() and not target.is_dir() or target.is_dir() and any(target.iterdir()):
        raise UserError(f'{out} is there and not empty: give another OUT, nothing is overwritten')
    if target.is_relative_to(os.path.realpath(source)):
        raise UserError(f'{out} lies in {source}, and would be read as a part of it: give another OUT')
