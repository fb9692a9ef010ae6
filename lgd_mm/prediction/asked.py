"""What can be known to be wrong with a command of predictions before the libraries are imported."""

import os
from collections.abc import Sequence
from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.io.lock import is_empty

#: In the folder of predictions: what was asked for, and, once all is there, what was done.
REQUEST = 'predict.json'


def check_given(paths: Sequence[str]) -> None:
    """See that images are there.

    Args:
        paths (Sequence[str]): As the user gave them.

    Raises:
        UserError: If there is none, or one is missing.
    """
    if not paths:
        raise UserError('images is empty: give a folder of images, an image or a video')
    for path in paths:
        if not os.path.exists(path):
            raise UserError(f'images: {path} does not exist: give a folder of images, images or videos')


def check_out(folder: Path) -> None:
    """See that predictions may be written to a folder.

    Args:
        folder (Path): It may not exist.

    Raises:
        UserError: If it is no folder, or holds something else than predictions.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f'out: {folder} is a file: give a folder')
    if not is_empty(folder) and not (folder / REQUEST).is_file():
        raise UserError(f'out: {folder} is not empty and holds no predictions of lgd-mm: give another folder')
