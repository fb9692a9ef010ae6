"""What the values of a mask's pixels mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lgd_mm.datasets.mask_file import IGNORED, broken, check_exact
from lgd_mm.errors import DataError, UserError
from lgd_mm.io.images import one_large_at_a_time, open_image

#: A value of a mask of one channel, or a colour.
Value = int | tuple[int, int, int]


@dataclass(frozen=True)
class MaskLabels:
    """A table from the values of masks to the labels of classes.

    Attributes:
        labels (Mapping[Value, int]): Label of each value; :data:`IGNORED` for what counts neither in the loss nor in
            the metric.
        colours (bool): Whether values are colours, red, green and blue, and not numbers. A mask with a palette has
            both. Defaults to False.
    """

    labels: Mapping[Value, int]
    colours: bool = False
    _table: list[NDArray[np.integer]] = field(default_factory=list, init=False, repr=False, compare=False)

    def read(self, path: Path) -> NDArray[np.uint8]:
        """Read a mask.

        Args:
            path (Path): The file.

        Returns:
            NDArray: (H, W), the label of each pixel.

        Raises:
            UserError: If it cannot be read, or has a value that is not in the table; names the file and the value.
        """
        values = mask_values(path, self.colours)
        if not self._table:
            keys = sorted((_packed(value), label) for value, label in self.labels.items())
            self._table.extend((np.array([key for key, _ in keys]), np.array([label for _, label in keys], np.uint8)))
        keys_of, labels = self._table
        places = np.searchsorted(keys_of, values).clip(max=len(keys_of) - 1)
        strange = keys_of[places] != values
        if strange.any():
            raise DataError(f'{path} has the {_told(int(values[strange][0]), self.colours)}, which is no class: add it '
                            'to the table of classes, or name it with --void')
        return labels[places].astype(np.uint8)


def mask_values(path: Path, colours: bool) -> NDArray[np.int64]:
    """Read the values of a mask's pixels.

    Args:
        path (Path): The file.
        colours (bool): Read them as colours: as ``red * 65536 + green * 256 + blue``.

    Returns:
        NDArray: (H, W).

    Raises:
        UserError: If it is missing, cannot be decoded, keeps no exact numbers, or has colours and no numbers.
    """
    try:
        with open_image(path) as image:
            check_exact(path, image)
            with one_large_at_a_time(image.width * image.height):
                return _values(image, path, colours, image.mode)
    except UserError:
        raise
    except FileNotFoundError:
        raise DataError(f'mask {path} does not exist') from None
    except Exception as error:  # Pillow's decoders raise whatever a broken file makes them stumble over
        raise broken(path, error) from error


def values_in(path: Path) -> list[int]:
    """The different values of a mask of one channel.

    Args:
        path (Path): The file.

    Raises:
        UserError: As :func:`mask_values`.
    """
    return np.unique(mask_values(path, colours=False)).tolist()


def are_binary(masks: Iterable[Path]) -> bool:
    """Whether masks hold 0 and 255 alone, so that 255 is a class; the first of others shows that.

    Args:
        masks (Iterable[Path]): The files.

    Raises:
        UserError: As :func:`mask_values`.
    """
    seen: set[int] = set()
    for path in masks:
        seen.update(values_in(path))
        if not seen <= {0, IGNORED}:
            return False
    return IGNORED in seen


def _values(image: Image.Image, path: Path, colours: bool, mode: str) -> NDArray[np.int64]:
    if colours:
        pixels = np.asarray(image.convert('RGB')).astype(np.int64)
        return (pixels[..., 0] << 16) + (pixels[..., 1] << 8) + pixels[..., 2]
    if mode in ('RGB', 'RGBA', 'LA'):
        pixels = np.asarray(image)
        channels = pixels[..., :1 if mode == 'LA' else 3]
        if (channels != channels[..., :1]).any():
            raise DataError(f'{path} is an image of colours ({mode}): give a table of its classes, in the folder as '
                            'labelmap.txt or with --class-table FILE')
        return channels[..., 0].astype(np.int64)  # grey, in three copies
    pixels = np.asarray(image)
    if pixels.ndim > 2:
        raise DataError(f'{path} is an image of colours ({mode}): a mask has one channel')
    if pixels.dtype.kind == 'f' and (pixels % 1 != 0).any():
        raise DataError(f'{path} has numbers that are not whole: save the numbers of classes')
    return pixels.astype(np.int64)


def _packed(value: Value) -> int:
    return value if isinstance(value, int) else (value[0] << 16) + (value[1] << 8) + value[2]


def _told(value: int, colours: bool) -> str:
    return f'colour {value >> 16},{value >> 8 & 255},{value & 255}' if colours else f'value {value}'
