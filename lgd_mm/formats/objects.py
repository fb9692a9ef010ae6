"""The objects of an image, brought within it: what is clipped or dropped is counted."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lgd_mm.errors import DataError
from lgd_mm.formats.clipping import clipped
from lgd_mm.formats.labelled_set import LabelledObject
from lgd_mm.formats.notes import Notes
from lgd_mm.own_data.check_annotations import FEWEST_COORDINATES, is_number
from lgd_mm.own_data.check_objects import ROUNDING, SEVERAL

CLIPPED = 'boxes reach beyond their image and are clipped'
NO_AREA, OUTSIDE = 'objects have no area and are dropped', 'objects lie outside their image and are dropped'
EMPTY = 'masks are empty and are dropped'
THIN = 'polygons have fewer than three points and are dropped'
#: What is said of images without labels that are wanted: there may be nothing in them.
NO_OBJECT = 'images have no object and are kept'


class Objects:
    """Takes the objects of a set one by one.

    Args:
        notes (Notes): Is told what is clipped and dropped.
        shape (str): How the format writes a box, to end a sentence.
    """

    def __init__(self, notes: Notes, shape: str) -> None:
        self.notes, self.shape = notes, shape
        self.seen = self.beyond = 0
        self.first = ''

    def take(self, where: str, label: int, box: Sequence[Any], size: tuple[float, float], mask: Any = None,
             area: float | None = None, crowd: bool = False) -> LabelledObject | None:
        """See that an object can be used.

        Args:
            where (str): File and line or id, for the sentences.
            label (int): Index of its class.
            box (Sequence[Any]): x, y, width, height in pixels; numbers, or not.
            size (tuple[float, float]): Width and height of its image.
            mask (Any): As of :class:`LabelledObject`. Defaults to None.
            area (float, optional): In pixels. Defaults to None.
            crowd (bool): Whether it is a group. Defaults to False.

        Returns:
            LabelledObject, optional: Within its image; None if nothing of it is.

        Raises:
            UserError: If the box is none.
        """
        if len(box) != 4 or not all(map(is_number, box)):
            raise DataError(f'{where} has a box that is not four finite numbers: {self.shape}')
        x, y, width, height = (float(value) for value in box)
        if width <= 0 or height <= 0:
            self.notes.add(NO_AREA, where)
            return None
        self.seen += 1
        left, top, right, bottom = max(x, 0.), max(y, 0.), min(x + width, size[0]), min(y + height, size[1])
        if max(left - x, top - y, x + width - right, y + height - bottom) > ROUNDING:
            self.beyond += 1
            self.first = self.first or f'{where}, in an image of {size[0]:g} x {size[1]:g}'
            if right <= left or bottom <= top:
                self.notes.add(OUTSIDE, where)
                return None
            self.notes.add(CLIPPED, where)
            area = None
            mask = [inner for part in mask if (inner := clipped(part, size))] if isinstance(mask, list) else mask
        elif right <= left or bottom <= top:
            self.notes.add(OUTSIDE, where)
            return None
        # by rounding alone, a box stays what it was written as
        inside = (x, y, width, height) if (left, top, right, bottom) == (x, y, x + width, y + height) else \
            (left, top, right - left, bottom - top)
        return LabelledObject(label, inside, mask, area, crowd)

    def outline(self, where: str, label: int, polygons: Sequence[Sequence[Any]], size: tuple[float, float]
                ) -> LabelledObject | None:
        """Take an object that has an outline; its box is what holds that.

        Args:
            where (str): As of :meth:`take`.
            label (int): Likewise.
            polygons (Sequence[Sequence[Any]]): Each x1, y1, x2, y2, ... in pixels.
            size (tuple[float, float]): Width and height of its image.

        Returns:
            LabelledObject, optional: None if nothing of it is within the image.

        Raises:
            UserError: If a polygon is no pairs of numbers.
        """
        whole = []
        for part in polygons:
            if len(part) % 2 or not all(map(is_number, part)):
                raise DataError(f'{where} has a polygon that is not pairs of finite numbers: correct it')
            if len(part) < FEWEST_COORDINATES:
                self.notes.add(THIN, where)
            else:
                whole.append([float(value) for value in part])
        if not whole:
            return None
        taken = self.take(where, label, _around(whole), size, whole)
        if taken is None or taken.mask is whole:
            return taken
        box = _around(taken.mask) if taken.mask else (0., 0., 0., 0.)
        if not (box[2] and box[3]):  # its box reaches into the image, and it does not
            self.notes.add(OUTSIDE, where)
            return None
        return replace(taken, box=box)

    def pixels(self, where: str, label: int, found: tuple[dict[str, Any], tuple[float, float, float, float]] | None,
               size: tuple[float, float]) -> LabelledObject | None:
        """Take an object that has a mask of pixels.

        Args:
            where (str): As of :meth:`take`.
            label (int): Likewise.
            found (tuple, optional): Of :func:`lgd_mm.formats.run_lengths.encoded`.
            size (tuple[float, float]): Width and height of its image.

        Returns:
            LabelledObject, optional: None if no pixel is in the image.
        """
        if found is None:
            self.notes.add(EMPTY, where)
            return None
        return self.take(where, label, found[1], size, found[0])

    def end(self, root: Path) -> None:
        """Look at all of them together.

        Args:
            root (Path): Of the set, for the sentence.

        Raises:
            UserError: If most of several boxes reach beyond their images, as they do when they are written in another
                way.
        """
        if self.seen >= SEVERAL and 2 * self.beyond > self.seen:
            raise DataError(f'{root}: {self.beyond} of {self.seen} boxes reach beyond their image, such as that of '
                            f'{self.first}: {self.shape}; write them so')


def _around(polygons: Sequence[Sequence[float]]) -> tuple[float, float, float, float]:
    """The box that holds polygons."""
    xs, ys = ([value for part in polygons for value in part[start::2]] for start in (0, 1))
    return min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
