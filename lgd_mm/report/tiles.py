"""Images with something drawn over them, as small files for a page."""

import io
from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

#: Inches of a tile's width, and its height in widths, at least and at most: what is longer has margins.
WIDTH, LOWEST, HIGHEST = 2.4, 0.1, 4
#: Pixels of a side that are drawn; a tile has 312 across.
SIDE = 4096
#: Dots of an inch, and quality of the files.
DOTS, QUALITY = 130, 82


def draw_tile(image: Image.Image, draw: Callable[[Axes], None], grey: bool = False) -> bytes:
    """An image with something drawn over it, as wide as a thumbnail.

    Args:
        image (Image.Image): The image.
        draw (Callable[[Axes], None]): Draws on axes that show the image, one unit for each pixel.
        grey (bool): Take the image's own colours away. Defaults to False.

    Returns:
        bytes: A WebP file. An image ten times as wide as high, or four times as high as wide, has margins.
    """
    base = image.convert('L').convert('RGB') if grey else image.convert('RGB')
    extent = (-0.5, base.width - 0.5, base.height - 0.5, -0.5)
    figure = Figure(figsize=(WIDTH, WIDTH * min(max(base.height / base.width, LOWEST), HIGHEST)))
    if max(base.size) > SIDE:
        base.thumbnail((SIDE, SIDE))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.imshow(base, extent=extent)
    draw(axes)
    stream = io.BytesIO()
    figure.savefig(stream, format='webp', dpi=DOTS, pil_kwargs=dict(quality=QUALITY))
    return stream.getvalue()


def tile_size(image: NDArray[Any]) -> tuple[int, int]:
    """Width and height of a tile of an image, in pixels.

    Args:
        image (np.ndarray): The image (H, W, ...).
    """
    height, width = image.shape[:2]
    wide = round(WIDTH * DOTS) if height <= HIGHEST * width else max(1, round(HIGHEST * WIDTH * DOTS * width / height))
    return wide, max(1, round(wide * height / width))


def tile(drawing: Image.Image) -> bytes:
    """A drawing of the size of a tile, as a WebP file."""
    stream = io.BytesIO()
    drawing.save(stream, format='webp', quality=QUALITY)
    return stream.getvalue()


def thumbnail(image: Image.Image, size: int = 112) -> bytes:
    """An image of at most ``size`` x ``size`` pixels, as a WebP file."""
    small = image.convert('RGB')
    small.thumbnail((size, size), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    small.save(stream, format='webp', quality=QUALITY)
    return stream.getvalue()
