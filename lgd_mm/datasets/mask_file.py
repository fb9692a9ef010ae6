"""Reading a file with the number of a class in each pixel, as far as it takes to see whether it fits."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lgd_mm.datasets.image_size import ORIENTATION
from lgd_mm.datasets.loading import of_the_machine
from lgd_mm.errors import DataError
from lgd_mm.io.images import one_large_at_a_time, open_image

#: Pillow's names for one channel: of 1 bit, 8 bits, indices of a palette, 16 and 32 bits.
MODES = ('1', 'L', 'P', 'I', 'I;16', 'I;16B', 'I;16L', 'I;16N')
#: Formats that keep no exact numbers.
LOSSY = ('JPEG', 'MPO', 'WEBP', 'AVIF', 'JPEG2000')
#: Pixels that count neither in the loss nor in the metric; mmseg's masks have 8 bits.
IGNORED = 255
#: Pixels that are counted at a time: NumPy takes eight bytes for each.
PIECE = 2**22
#: Different numbers that no mask has.
MOST = 2**16


class MaskHeader(NamedTuple):
    """Of a mask.

    Attributes:
        width (int): In pixels.
        height (int): In pixels.
        wide (bool): Whether there are more than 8 bits for a pixel.
    """

    width: int
    height: int
    wide: bool


def mask_header(path: str | Path, content: bytes | None = None) -> MaskHeader:
    """Read the header of a mask.

    Args:
        path (str | Path): The file.
        content (bytes, optional): What it holds. Defaults to None: it is read from the path.

    Returns:
        MaskHeader: Its size, and whether its labels may be beyond 255.

    Raises:
        UserError: If it is missing, no image, one of colours, or of a format that keeps no exact numbers.
    """
    with _opened(path, content) as mask:
        return MaskHeader(*mask.size, mask.mode.startswith('I'))


def labels_in(path: str | Path, content: bytes | None = None) -> set[int]:
    """Read which numbers a mask holds.

    Args:
        path (str | Path): The file.
        content (bytes, optional): What it holds. Defaults to None: it is read from the path.

    Returns:
        set[int]: Also those that need more than 8 bits; not all of them if there are more than :data:`MOST`.

    Raises:
        UserError: As :func:`mask_header`, or if it cannot be decoded.
    """
    with _opened(path, content) as mask, one_large_at_a_time(mask.width * mask.height):
        try:
            labels: NDArray[Any] = np.asarray(mask).ravel()
        except Exception as error:  # Pillow's decoders raise whatever a broken file makes them stumble over
            raise broken(path, error) from error
        found: set[int] = set()
        for start in range(0, labels.size, PIECE):
            piece = labels[start:start + PIECE]
            there = np.unique(piece) if piece.dtype.itemsize > 1 else np.flatnonzero(np.bincount(piece))
            found.update(there.tolist())
            if len(found) > MOST:
                break
    return found


def broken(path: str | Path, error: Exception) -> Exception:
    """What to raise for an error met while a mask is decoded.

    Args:
        path (str | Path): The file.
        error (Exception): Of its decoder, or of the machine.

    Returns:
        Exception: A :class:`UserError`, or the error itself if it says nothing of the file.
    """
    if of_the_machine(error) or isinstance(error, FileNotFoundError):
        return error
    reason = str(error).partition(' <_io.BytesIO')[0]  # Pillow names the bytes by their address
    return DataError(f'mask {path} cannot be decoded ({reason}): replace it')


def check_exact(path: str | Path, mask: Image.Image) -> None:
    """See that the pixels of a mask are those of its image, and their numbers those that were saved.

    Args:
        path (str | Path): The file.
        mask (Image.Image): As it was opened.

    Raises:
        UserError: If its EXIF tells to turn it, or its format keeps no exact numbers.
    """
    if 'exif' in mask.info and mask.getexif().get(ORIENTATION, 1) != 1:
        raise DataError(f'mask {path} has an EXIF orientation, by which nothing turns it: take the tag away (exiftool '
                        '-Orientation=), with the mask as its image is read')
    if mask.format in LOSSY:
        raise DataError(f'{path} is a {mask.format}, which keeps no exact numbers: save masks as PNG')


def _opened(path: str | Path, content: bytes | None) -> Image.Image:
    try:
        mask = open_image(path if content is None else content)
    except Exception as error:
        raise broken(path, error) from error
    if mask.mode not in MODES:
        mask.close()
        raise DataError(f'{path} is an image of colours ({mask.mode}): a mask holds the number of a class in each '
                        'pixel')
    try:
        check_exact(path, mask)
    except DataError:
        mask.close()
        raise
    return mask
