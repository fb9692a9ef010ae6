"""Which image files are opened: formats by name, and no more pixels than there is memory and time for."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from PIL import Image, UnidentifiedImageError

from lgd_mm.io.files import read_plain
from lgd_mm.io.image_head import FORMATS, RefusedImage, formats, open_head
from lgd_mm.io.image_work import jpeg_scans, jpeg_work, tiff_tile, tiff_work

__all__ = ['FORMATS', 'PIXELS', 'SCANS', 'RefusedImage', 'check_image', 'formats', 'open_head', 'open_image',
           'one_large_at_a_time']

#: Bytes of a file: those of all pixels there may be, of three colours and 16 bits.
LARGEST = 2**30
#: Pillow's bound on the pixels of an image, which holds for every decoder.
PIXELS = 2 * 89_478_485
#: Pixels that a byte of a file may stand for in a large image. PNG's compression ends at 8,256 (one bit for each
#: pixel); a lossless WebP of a kilobyte may promise all that the bound allows.
DENSITY = 10_000
#: Pixels up to which a file may be as small as it likes: a mask of one class, an empty page.
ANY_DENSITY = 2**24
#: Progressive JPEGs have about ten scans, each of which goes over the whole image.
SCANS = 500
#: Pixels that all scans together go over; a large image, of all the pixels there may be, has 27 scans.
WORK = 5 * 10**9
#: Bytes at the beginning of a file by which Pillow tells formats apart.
MAGIC = 16

_LARGE = Lock()


def open_image(source: bytes | str | os.PathLike[str]) -> Image.Image:
    """Open an image as :func:`PIL.Image.open` does, but only of :data:`FORMATS` and within the bounds.

    Args:
        source (bytes | str | PathLike): The content of a file, or its path.

    Returns:
        Image.Image: Its first frame, not decoded yet.

    Raises:
        OSError: If it cannot be read, is of another format, is damaged, or is beyond the bounds.
    """
    content = source if isinstance(source, bytes) else read_plain(source, LARGEST)
    check_image(content)
    return open_head(io.BytesIO(content))


def check_image(content: bytes) -> None:
    """See that an image may be decoded, by whichever library.

    Args:
        content (bytes): Of the file.

    Raises:
        UnidentifiedImageError: If it is of no format of :data:`FORMATS`.
        RefusedImage: If it is beyond the bounds.
        OSError: If its head is damaged.
    """
    if not any(_accepts(form, content[:MAGIC]) for form in formats()):
        raise UnidentifiedImageError('cannot identify image file' if content else 'the file is empty')
    jpeg, tiff = content.startswith(b'\xff\xd8'), content[:2] in (b'II', b'MM')
    scans = jpeg_scans(content) if jpeg else 0
    if scans > SCANS:
        raise RefusedImage(f'it has more than {SCANS} scans, and a JPEG of a camera about ten')
    small = len(content) * DENSITY < PIXELS  # in a larger file, the decoders' own bound is the lower one
    if small or tiff or scans * PIXELS > WORK:
        _check_pixels(content, scans)


@contextmanager
def one_large_at_a_time(pixels: int) -> Iterator[None]:
    """Let the threads of a process hold one large image at a time, decoded, and any number of others.

    Args:
        pixels (int): Of the image.
    """
    if pixels <= ANY_DENSITY:
        yield
        return
    with _LARGE:
        yield


def _check_pixels(content: bytes, scans: int) -> None:
    """Compare what the head promises with the bytes that there are."""
    bound = max(ANY_DENSITY, len(content) * DENSITY)
    try:
        with open_head(io.BytesIO(content)) as image:
            width, height = image.size
            tile = tiff_tile(image)
            work = jpeg_work(image, scans) + tiff_work(image, content)
    except OSError:
        raise
    except Exception as error:  # whatever Pillow's plug-ins stumble over, and its own bound
        raise RefusedImage(str(error) or type(error).__name__) from error
    for what, (across, down) in (('', (width, height)), (' in one tile', tile)):
        if across * down > min(bound, PIXELS):
            raise RefusedImage(f'its {len(content):,} bytes promise {across} x {down} pixels{what}, which exceeds what '
                               'any image of that size holds')
    if work > WORK:
        raise RefusedImage(f'its scans go over {work:,} pixels, and {WORK:,} are the most that are decoded')


def _accepts(form: str, start: bytes) -> bool:
    """Whether a file begins as those of a format do."""
    accept = Image.OPEN[form][1]
    return accept is not None and bool(accept(start))
