"""What decoding a JPEG, or JPEGs in a TIFF, takes: each scan goes over all pixels again, whatever it holds."""

import re

from PIL import Image

from lgd_mm.io.image_head import RefusedImage

#: Begins a scan, in JPEG.
SCAN = b'\xff\xda'
#: A marker of JPEG: what follows 0xff, but for bytes of a scan that look like one, and restarts within it.
MARKER = re.compile(rb'\xff[^\x00\xd0-\xd7\xff]')
#: Markers: an image ends, a scan begins; those behind which the next one is looked for.
END, BEGINS, BARE = 0xD9, 0xDA, (0x01, 0xD8, 0xDA)
#: Tags of TIFF: compression, and the sizes of tiles; places and lengths of strips or tiles; rows of a strip.
COMPRESSION, TILE, PLACES, LENGTHS, ROWS = 259, (322, 323), (273, 324), (279, 325), 278
#: Compressions of TIFF that are JPEG, the older of which has one stream for all.
JPEG, OLD_JPEG = 7, 6
#: Times that parts of a TIFF may hold the same bytes.
SHARED = 16


def jpeg_scans(content: bytes) -> int:
    """Scans of the first image of a JPEG; phones put films behind its end, and thumbnails before it.

    Args:
        content (bytes): Of the file.
    """
    scans, place = 0, 0
    while found := MARKER.search(content, place):
        place, kind = found.end(), content[found.end() - 1]
        if kind == END:
            break
        scans += kind == BEGINS
        if kind not in BARE:  # what belongs to it says how long it is
            place += int.from_bytes(content[place:place + 2], 'big')
    return scans


def jpeg_work(image: Image.Image, scans: int) -> int:
    """Pixels that a JPEG's scans go over.

    Args:
        image (Image.Image): Opened; any other format has no scans.
        scans (int): That its file has.
    """
    return scans * image.width * image.height


def tiff_tile(image: Image.Image) -> tuple[int, int]:
    """Width and height of a TIFF's tiles, which may be larger than it; of any other image, nothing."""
    tags = getattr(image, 'tag_v2', {})
    width, height = (int(tags.get(tag, 0)) for tag in TILE)
    return width, height


def tiff_work(image: Image.Image, content: bytes) -> int:
    """Pixels that the scans in a TIFF of JPEGs go over.

    Args:
        image (Image.Image): Opened.
        content (bytes): Of its file.

    Raises:
        RefusedImage: If its parts hold the same bytes many times.
    """
    tags = getattr(image, 'tag_v2', {})
    compression = tags.get(COMPRESSION)
    if compression not in (JPEG, OLD_JPEG):
        return 0
    width, height = tiff_tile(image)
    part = width * height or image.width * min(int(tags.get(ROWS, image.height)), image.height)
    if compression == OLD_JPEG:
        return content.count(SCAN) * image.width * image.height
    places, lengths = (next((tags[tag] for tag in every if tag in tags), ()) for every in (PLACES, LENGTHS))
    parts = list(zip(places, lengths))
    if sum(length for _, length in set(parts)) > SHARED * len(content):
        raise RefusedImage('its tiles are the same bytes, many times')
    scans = {(place, length): content.count(SCAN, place, place + length) for place, length in set(parts)}
    return part * sum(map(scans.__getitem__, parts))
