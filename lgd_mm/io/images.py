"""Which image files are opened: formats by name, and no more pixels than there is memory for."""

import io
import os
import re
from functools import cache

from PIL import Image, UnidentifiedImageError

from lgd_mm.io.files import read_plain

#: Pillow's decoders that may be asked. None of them starts a program, as EPS does (Ghostscript), or asks a network.
FORMATS = ('JPEG', 'PNG', 'WEBP', 'GIF', 'BMP', 'TIFF', 'PPM', 'JPEG2000', 'AVIF')
#: Pillow's bound on the pixels of an image, which holds for every decoder.
PIXELS = 2 * 89_478_485
#: Pixels that a byte of a file may stand for in a large image. PNG's compression ends at 8,256 (one bit for each
#: pixel); a lossless WebP of a kilobyte may promise all that the bound allows.
DENSITY = 10_000
#: Pixels up to which a file may be as small as it likes: a mask of one class, an empty page.
ANY_DENSITY = 2**24
#: Progressive JPEGs have about ten scans, each of which goes over the whole image.
SCANS = 500
#: Comments of a GIF, each of which Pillow copies with all before it.
COMMENTS = 1_000
#: The head of a PPM, with comments of a usual length.
PPM = re.compile(rb'P\d\s*(?:#[^\n]{0,1000}\n\s*){0,100}\d')
#: Bytes at the beginning of a file by which Pillow tells formats apart.
MAGIC = 16


class RefusedImage(OSError):
    """An image that would take more memory or time than its size warrants."""


def open_image(source: bytes | str | os.PathLike[str]) -> Image.Image:
    """Open an image as :func:`PIL.Image.open` does, but only of :data:`FORMATS` and within the bounds.

    Args:
        source (bytes | str | PathLike): The content of a file, or its path.

    Returns:
        Image.Image: Its first frame, not decoded yet.

    Raises:
        OSError: If it cannot be read, is of another format, is damaged, or is beyond the bounds.
    """
    content = source if isinstance(source, bytes) else read_plain(source)
    check_image(content)
    return Image.open(io.BytesIO(content), formats=formats())


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
        raise UnidentifiedImageError('cannot identify image file')
    if content.startswith(b'\xff\xd8') and content.count(b'\xff\xda') > SCANS:
        raise RefusedImage(f'it has more than {SCANS} scans, and a JPEG of a camera about ten')
    if content.startswith(b'GIF8') and content.count(b'!\xfe') > COMMENTS + len(content) // 2**14:
        raise RefusedImage('it is a GIF of comments')  # two bytes of pixels are those of a comment now and then
    if content[:1] == b'P' and content[1:2].isdigit() and not PPM.match(content):
        raise RefusedImage('its head is a comment')
    if len(content) * DENSITY < PIXELS:  # in a larger file, the decoders' own bound is the lower one
        width, height = _size(content)
        if width * height > max(ANY_DENSITY, len(content) * DENSITY):
            raise RefusedImage(f'its {len(content):,} bytes promise {width} x {height} pixels, which exceeds what '
                                 'any image of that size holds')


def _size(content: bytes) -> tuple[int, int]:
    """Width and height by the head of a file."""
    try:
        with Image.open(io.BytesIO(content), formats=formats()) as image:
            return image.size
    except OSError:
        raise
    except Exception as error:  # whatever Pillow's plug-ins stumble over, and its own bound
        raise RefusedImage(str(error) or type(error).__name__) from error


@cache
def formats() -> tuple[str, ...]:
    """Those of :data:`FORMATS` that this build of Pillow knows."""
    Image.init()  # reads all plug-ins
    return tuple(form for form in FORMATS if form in Image.OPEN)


def _accepts(form: str, start: bytes) -> bool:
    """Whether a file begins as those of a format do."""
    accept = Image.OPEN[form][1]
    return accept is not None and bool(accept(start))
