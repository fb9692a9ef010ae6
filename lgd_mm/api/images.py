"""Folders of images as people give them."""

import os
from collections.abc import Iterator
from pathlib import Path

from lgd_mm.console.progress import still
from lgd_mm.errors import UserError
from lgd_mm.io.image_files import EXTENSIONS, files_below
from lgd_mm.storage.urls import is_url


def images_in(folder: str | Path, what: str = 'images') -> list[str]:
    """Images below a folder, nested or flat.

    Args:
        folder (str | Path): The folder.
        what (str): The argument that names it, for messages. Defaults to ``'images'``.

    Returns:
        list[str]: Their paths, sorted; at least one.

    Raises:
        UserError: If it is missing, no folder, may not be read, or holds no image.
    """
    check_images(folder, what)
    if is_index(folder):
        raise UserError(f'{what}: {folder} is an index of images, which lgd-mm pretrain takes: give the folder of the '
                        'images themselves')
    with still(f'looking for images in {folder}'):
        return sorted(_images_below(Path(folder)))


def check_images(folder: str | Path, what: str = 'images') -> None:
    """See that a folder holds an image, which is known from the first, or is an index of images. In an object store
    nothing is looked for yet.

    Args:
        folder (str | Path): The folder, or URL of an index.
        what (str): The argument that names it, for messages. Defaults to ``'images'``.

    Raises:
        UserError: As :func:`images_in`.
    """
    if is_url(folder):
        return
    check_folder(Path(folder), what)
    if not is_index(folder) and next(_images_below(Path(folder)), None) is None:
        raise UserError(f'{what}: {folder} holds no image ({", ".join(EXTENSIONS)}): give a folder with images')


def is_index(folder: str | Path) -> bool:
    """Whether a folder is an index that ``lgd-mm index`` wrote; of a URL that is supposed."""
    return is_url(folder) or all(Path(folder, name).is_file() for name in ('index.json', 'images.npy'))


def _images_below(folder: Path) -> Iterator[str]:
    return (path for path in files_below(folder) if path.lower().endswith(EXTENSIONS))


def check_folder(folder: Path, what: str = 'images') -> None:
    """See that a folder of images is there.

    Args:
        folder (Path): The folder.
        what (str): The argument that names it, for messages. Defaults to ``'images'``.

    Raises:
        UserError: If it is missing, no folder, or may not be read.
    """
    if not os.path.exists(folder):
        raise UserError(f'{what}: {folder} does not exist: give a folder of images')
    if not folder.is_dir():
        raise UserError(f'{what}: {folder} is a file: give the folder of the images')
    try:
        with os.scandir(folder):
            pass
    except OSError as error:
        raise UserError(f'{what}: {folder} cannot be read ({error.strerror}): change its permissions, or give another '
                        'folder') from error
