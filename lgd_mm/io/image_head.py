"""Opening an image up to its pixels, in a bounded number of steps."""

from functools import cache
from math import inf
from typing import IO, Any

from PIL import Image

#: Pillow's decoders that may be asked. None of them starts a program, as EPS does (Ghostscript), or asks a network.
FORMATS = ('JPEG', 'PNG', 'WEBP', 'GIF', 'BMP', 'TIFF', 'PPM', 'JPEG2000', 'AVIF')
#: Times that Pillow may ask for bytes before it knows an image's size: for each letter of a PPM's comment, each 255
#: bytes of a GIF's, which it copies with all before them, each part of a PNG. Metadata of a megabyte take a tenth.
READS = 10_000


class RefusedImage(OSError):
    """An image that would take more memory or time than its size warrants."""


def open_head(file: IO[bytes]) -> Image.Image:
    """Open an image as :func:`PIL.Image.open` does, but only of :data:`FORMATS`, and with a head of a bounded length.

    Args:
        file (IO[bytes]): Open, and for as long as the image is.

    Returns:
        Image.Image: Its first frame, not decoded yet.

    Raises:
        OSError: If it is of another format, is damaged, or has too long a head.
    """
    counted = _Counted(file)
    image = Image.open(counted, formats=formats())
    counted.left = inf
    return image


@cache
def formats() -> tuple[str, ...]:
    """Those of :data:`FORMATS` that this build of Pillow knows."""
    Image.init()  # reads all plug-ins
    return tuple(form for form in FORMATS if form in Image.OPEN)


class _Counted:
    """A file that is asked for bytes so many times."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.left: float = READS

    def read(self, size: int = -1) -> bytes:
        self.left -= 1
        if self.left < 0:
            raise RefusedImage(f'its head takes more than {READS:,} steps, as of comments without end')
        return self.file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)
