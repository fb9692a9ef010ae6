"""One image with a smaller short side, in its own format."""

import io

from PIL import Image, ImageOps

from lgd_mm.io.images import open_image

#: Grey of more than eight bits, which stays so.
DEEP = ('I;16', 'I', 'F')


def resize_image(content: bytes, short_side: int, quality: int) -> bytes:
    """Make an image smaller, so that what :class:`lgd_mm.datasets.LoadImage` reads of it is what it read, but smaller.

    Args:
        content (bytes): The file.
        short_side (int): Pixels. An image that has no more is not touched.
        quality (int): Of JPEG, WebP and AVIF.

    Returns:
        bytes: The file of the smaller image, upright and without metadata; or ``content``.

    Raises:
        Exception: Whatever Pillow's decoders stumble over in a broken file.
    """
    with open_image(content) as image:
        form = 'JPEG' if image.format == 'MPO' else image.format  # MPO: a phone's JPEG with a second one behind it
        scale = short_side / min(image.size)
        if scale >= 1:
            image.load()
            return content
        width, height = (round(side * scale) for side in image.size)
        # JPEG's decoder halves at almost no cost; down to twice the size, the filter still has enough to average.
        drafted = image.draft(None, (2 * width, 2 * height))
        smaller = ImageOps.exif_transpose(_resize(image, (width, height), drafted[1] if drafted else None))
    smaller.info = {}
    file = io.BytesIO()
    smaller.save(file, form, **(dict(quality=quality) if form in ('JPEG', 'WEBP', 'AVIF') else {}))
    return file.getvalue()


def _resize(image: Image.Image, size: tuple[int, int], box: tuple[float, float, float, float] | None) -> Image.Image:
    """Averaged by a bicubic filter as wide as a new pixel; each channel alone.

    Pillow would weigh colours with alpha and blacken what is transparent, but the loader shows colours without alpha.
    """
    mode = _mode(image)
    plain = image if image.mode == mode else image.convert(mode)
    if mode not in ('LA', 'RGBA'):
        return plain.resize(size, Image.Resampling.BICUBIC, box)
    smaller = Image.merge(mode, [band.resize(size, Image.Resampling.BICUBIC, box) for band in plain.split()])
    smaller.info = plain.info
    return smaller


def _mode(image: Image.Image) -> str:
    """What can be averaged: no palette, no print colours."""
    if image.has_transparency_data:
        return 'LA' if image.mode == 'LA' else 'RGBA'
    if image.mode in ('1', 'L'):
        return 'L'
    return image.mode if image.mode in DEEP else 'RGB'
