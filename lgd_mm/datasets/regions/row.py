"""How the regions of an image lie in a file: a row of fixed size, which says whether it is whole."""

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lgd_mm.datasets.regions.regions import Regions
from lgd_mm.io.rows import row_checksum

#: Pixels by which a box may lie outside its image: what rounding makes of a border.
OUTSIDE = 1.


def row_type(width: int, most: int) -> np.dtype[Any]:
    """Of a row.

    Args:
        width (int): D, of a feature.
        most (int): Regions of an image.

    Returns:
        np.dtype: Of ``most * (2 * D + 20) + 16`` bytes; the first field of a whole row is never all zeros.
    """
    return np.dtype([('size', '<u4', (2, )), ('count', '<u4'), ('boxes', '<f4', (most, 4)), ('scores', '<f2', (most, )),
                     ('tags', '<i2', (most, )), ('features', '<f2', (most, width)), ('crc', '<u4')])


def fill_row(row: np.void, regions: Regions, key: bytes) -> None:
    """Write the regions of an image into its row.

    Args:
        row (np.void): All zeros, of a :func:`row_type`.
        regions (Regions): No more than it holds.
        key (bytes): Of the image, see :func:`read_row`.
    """
    count = len(regions.boxes)
    row['size'], row['count'] = regions.size, count
    for name in ('boxes', 'scores', 'tags', 'features'):
        row[name][:count] = getattr(regions, name)
    row['crc'] = row_checksum(row.tobytes(), zlib.crc32(key))


def read_row(row: np.void, key: bytes, tags: int) -> Regions:
    """The regions of an image.

    Args:
        row (np.void): Of the file.
        key (bytes): Of the image and the store: the row of another image, or of another store, is none of this one.
        tags (int): Names that there are.

    Returns:
        Regions: In memory of their own, read only.

    Raises:
        ValueError: If it is not what :func:`fill_row` wrote.
    """
    content = row.tobytes()  # the file may be replaced while they are in use
    row = np.frombuffer(content, row.dtype)[0]
    if row_checksum(content, zlib.crc32(key)) != row['crc']:
        raise ValueError('its checksum is another')
    count = int(row['count'])
    if count > len(row['boxes']):
        raise ValueError(f'it says that there are {count} regions, and holds {len(row["boxes"])}')
    boxes, scores, tagged, features = (row[name][:count] for name in ('boxes', 'scores', 'tags', 'features'))
    regions = Regions(boxes, scores, tagged, features, (int(row['size'][0]), int(row['size'][1])))
    if not min(regions.size):
        raise ValueError('its image has no pixels')
    if not are_finite(features):
        raise ValueError('a feature is NaN or infinite')
    if not _are_inside(regions):
        raise ValueError(f'a box lies outside its image of {regions.size[0]} x {regions.size[1]} pixels')
    if count and not -1 <= regions.tags.min() <= regions.tags.max() < tags:
        raise ValueError(f'a tag is none of the {tags} names')
    return regions


def are_finite(features: NDArray[Any]) -> bool:
    """Whether numbers of float16 are finite: their exponents are not all ones, which numpy finds slowly otherwise."""
    return not ((features.astype(np.float16, copy=False).view(np.uint16) & 0x7C00) == 0x7C00).any()


def _are_inside(regions: Regions) -> bool:
    """Whether boxes are those of an image: an operator goes over all pixels of a box."""
    first, second = regions.boxes[:, :2], regions.boxes[:, 2:]
    return bool((first >= -OUTSIDE).all() and (second >= first).all()  # NaN is neither
                and (second <= np.add(regions.size, OUTSIDE)).all())
