"""Sizes of images of which annotations do not tell them."""

from collections.abc import Iterable
from pathlib import Path

from lgd_mm.datasets.image_size import UPRIGHT, ImageSize, image_sizes
from lgd_mm.errors import DataError
from lgd_mm.formats.notes import Notes

UNREADABLE = 'images cannot be read and are dropped'


def sizes_as_read(paths: Iterable[Path], root: Path, notes: Notes, form: str) -> dict[Path, ImageSize]:
    """Read the sizes of images from their headers.

    Args:
        paths (Iterable[Path]): The images.
        root (Path): Of the set, for the sentences.
        notes (Notes): Is told of those that cannot be read.
        form (str): The format, for the sentence.

    Returns:
        dict[Path, ImageSize]: Of those that can be read.

    Raises:
        UserError: If EXIF turns one: nothing tells which way its boxes lie.
    """
    every = list(paths)
    sizes = {}
    for path, size in zip(every, image_sizes(every, str(root))):
        if size is None:
            notes.add(UNREADABLE, path)
        elif size.orientation != 1:
            raise DataError(f'{path} is turned by its EXIF orientation {size.orientation} when it is read, and {form} '
                            f'does not say whether boxes lie as it is shown or as it is stored: {UPRIGHT}')
        else:
            sizes[path] = size
    return sizes
