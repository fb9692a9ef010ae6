"""How large an image is once it is read, as its header tells: cameras store images as the sensor lies, and say in
EXIF how to turn them."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import mmcv
from tqdm import tqdm

from lgd_mm.errors import DataError
from lgd_mm.io.files import open_plain
from lgd_mm.io.images import one_large_at_a_time, open_head, open_image

ORIENTATION = 0x0112  # of EXIF
#: Orientations that exchange width and height; 2 to 4 turn or mirror an image and leave its size.
SIDEWAYS = (5, 6, 7, 8)
#: What is done about turned images.
UPRIGHT = ('turn the images for good if as shown (mogrify -auto-orient), or take their tag away if as stored '
           '(exiftool -Orientation=)')
#: Files that are opened at once: a network share takes its time for each.
AT_ONCE = 16


class ImageSize(NamedTuple):
    """Of an image.

    Attributes:
        width (int): As it is read.
        height (int): As it is read.
        orientation (int): Of EXIF, 1 to 8; 1 is upright.
    """

    width: int
    height: int
    orientation: int

    def __str__(self) -> str:
        return f'{self.width} x {self.height}'


def image_size(path: str | Path) -> ImageSize | None:
    """Read the size of an image without decoding it.

    Args:
        path (str | Path): The file.

    Returns:
        ImageSize, optional: None if it is missing or no image, which whoever reads it tells.
    """
    try:
        with open_plain(path) as file, open_head(file) as image:
            (width, height), form = image.size, image.format
            # Of a PNG without EXIF, Pillow would decode all pixels to look behind them.
            tag = 1 if form == 'PNG' and 'exif' not in image.info else image.getexif().get(ORIENTATION, 1)
        orientation = tag if tag in range(1, 9) else 1
        if orientation == 1:
            return ImageSize(width, height, 1)
        if form not in ('JPEG', 'MPO'):  # not every version of OpenCV turns others
            open_image(path).close()  # it is decoded, and refused before if it is a bomb
            with one_large_at_a_time(width * height):
                height, width = mmcv.imread(str(path), 'grayscale').shape[:2]
        elif orientation in SIDEWAYS:
            width, height = height, width
        return ImageSize(width, height, orientation)
    except Exception:  # Pillow's decoders raise whatever a broken file makes them stumble over
        return None


def image_sizes(paths: Iterable[Path], where: str) -> Iterator[ImageSize | None]:
    """:func:`image_size` of many.

    Args:
        paths (Iterable[Path]): The files.
        where (str): For the bar of progress.

    Yields:
        ImageSize, optional: Of each file, in order.
    """
    every = list(paths)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from tqdm(pool.map(image_size, every), desc=f'sizes of {where}', total=len(every), disable=None,
                        leave=False, delay=1)


def check_orientations(sizes: Iterable[tuple[str, ImageSize]], what: str) -> None:
    """See that nobody has to guess which way images lie that EXIF turns and whose size does not tell.

    Args:
        sizes (Iterable[tuple[str, ImageSize]]): Names and sizes of the images of a set, whose annotations have
            their size as they are read.
        what (str): Those annotations, such as ``'the masks'``.

    Raises:
        UserError: If there are such images, and no other that shows the way.
    """
    turned = [(name, size) for name, size in sizes if size.orientation != 1]
    if turned and not any(size.orientation in SIDEWAYS and size.width != size.height for _, size in turned):
        name, size = turned[0]
        raise DataError(f'{name} is turned by its EXIF orientation {size.orientation} when it is read, like '
                        f'{len(turned) - 1} more, and nothing tells whether {what} lie as it is shown or as it is '
                        f'stored: {UPRIGHT}')
