"""Are the images of a file in COCO format as large as it says? Boxes count their pixels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lgd_mm.datasets.image_size import UPRIGHT, check_orientations, image_sizes
from lgd_mm.errors import DataError


def check_sizes(path: str | Path, images: list[Mapping[str, Any]], folder: Path) -> None:
    """Compare the sizes in a file with those of the images; what cannot be opened is told when it is loaded.

    Args:
        path (str | Path): Of the file, for the sentences.
        images (list[Mapping[str, Any]]): Its ``images``, as :func:`check_annotations` lets them pass.
        folder (Path): Where the images lie.

    Raises:
        UserError: If a size differs, or EXIF turns images and nothing tells whether boxes follow.
    """
    paths = [folder / image['file_name'] for image in images]
    read = [(image, size) for image, size in zip(images, image_sizes(paths, str(folder))) if size is not None]
    other = [(image, size) for image, size in read if (image['width'], image['height']) != size[:2]]
    if other:
        image, size = other[0]
        more = f' and {len(other) - 1} more differ' if len(other) > 1 else ''
        cure = 'write the size as it is read, and boxes and masks in its pixels'
        if size.orientation != 1:
            cure = (f'EXIF turns it (orientation {size.orientation}), and the boxes lie as shown or as stored: '
                    f'{UPRIGHT}, and write the size as it is read')
        raise DataError(f'{path}: image {image["id"]} is {size} as read, the file says {image["width"]} x '
                        f'{image["height"]} ({folder / image["file_name"]}){more}: {cure}')
    check_orientations(((str(folder / image['file_name']), size) for image, size in read), f'the boxes of {path}')
