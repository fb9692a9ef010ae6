"""Boxes, masks, segments and names drawn over an image, legible whatever its size.

Lines and letters follow the size of the image, so that it looks alike on a screen that it fills; an image smaller than
:data:`SMALLEST` pixels is drawn enlarged by a whole number, for letters to have room.
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import matplotlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lgd_mm.console.printable import printable

#: Pixels of the longer side of what is drawn, at least and at most; browsers show no more.
SMALLEST, LARGEST = 320, 16384
#: Height of letters: a share of the side of the square of as many pixels, and pixels at least.
LETTERS, LEAST_LETTERS = 0.032, 12
#: How much of what lies below is covered.
OPACITY = 0.5
#: Share of the pixels from which on a class of segments has its name written on it.
NAMED = 0.005
#: Side on which the place of such a name is looked for, in pixels.
COARSE = 512


class Instances(NamedTuple):
    """Objects of one image.

    Attributes:
        boxes (np.ndarray): Corners (N, 4): left, top, right, bottom in pixels.
        labels (np.ndarray): Classes (N, ), int.
        masks (np.ndarray, optional): Pixels (N, H, W), bool.
        scores (np.ndarray, optional): Of predictions (N, ).
    """

    boxes: NDArray[Any]
    labels: NDArray[Any]
    masks: NDArray[Any] | None
    scores: NDArray[Any] | None


def draw_instances(image: NDArray[np.uint8], instances: Instances, classes: Sequence[str], colours: NDArray[Any],
                   size: tuple[int, int] | None = None) -> Image.Image:
    """Draw boxes, masks, names and scores; the surest lie on top.

    Args:
        image (np.ndarray): RGB (H, W, 3).
        instances (Instances): The objects.
        classes (Sequence[str]): Names of the classes.
        colours (np.ndarray): RGB colours (C, 3) of the classes, 0-255.
        size (tuple[int, int], optional): Width and height of the drawing, in pixels. Defaults to None: the image's own.

    Returns:
        Image.Image: RGB.
    """
    canvas = _resized(image, size or _own_size(image))
    scale = np.array([canvas.shape[1] / image.shape[1], canvas.shape[0] / image.shape[0]] * 2)
    thickness = max(2, round(_letters(canvas) / 8))
    sure = np.zeros(len(instances.labels)) if instances.scores is None else instances.scores
    order = np.argsort(sure, kind='stable')
    for index in order if instances.masks is not None else ():
        assert instances.masks is not None
        _fill(canvas, instances.masks[index], colours[instances.labels[index]], thickness)
    drawing = Image.fromarray(canvas)
    pen = ImageDraw.Draw(drawing)
    boxes = instances.boxes * scale
    for index in order:
        colour = _rgb(colours[instances.labels[index]])
        left, top, right, bottom = (round(float(value)) for value in boxes[index])
        pen.rectangle((left, top, max(left, right - 1), max(top, bottom - 1)), outline=colour, width=thickness)
    placed: list[_Label] = []
    for index in order[::-1]:
        score = '' if instances.scores is None else f' {instances.scores[index]:.2f}'
        label = _Label.of(drawing, classes[instances.labels[index]] + score, colours[instances.labels[index]])
        left, top, _, bottom = boxes[index]
        places = [label.moved(left, place) for place in (top - label.height, top, bottom - label.height, bottom)]
        inside = [place for place in places if place.top >= 0] or places
        placed.append(next((place for place in inside if not any(map(place.meets, placed))), inside[0]))
    for label in placed[::-1]:  # no line through a name, and the surest of those that have no room on top
        label.write(pen)
    return drawing


def draw_segments(image: NDArray[np.uint8], segments: NDArray[Any], classes: Sequence[str], colours: NDArray[Any],
                  size: tuple[int, int] | None = None) -> Image.Image:
    """Colour the pixels by their class, and write the name of each class where there is most room for it.

    Args:
        image (np.ndarray): RGB (H, W, 3).
        segments (np.ndarray): Class of each pixel (H, W); a number beyond the classes is an ignored pixel.
        classes (Sequence[str]): Names of the classes; none are written if it is empty.
        colours (np.ndarray): RGB colours (C, 3) of the classes, 0-255.
        size (tuple[int, int], optional): Width and height of the drawing, in pixels. Defaults to None: the image's own.

    Returns:
        Image.Image: RGB.
    """
    canvas = _resized(image, size or _own_size(image))
    labels = cv2.resize(segments.astype(np.uint16), canvas.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    table = np.asarray(colours, np.uint8)
    known = labels < len(table)
    painted = table[np.where(known, labels, 0)]
    blended = cv2.addWeighted(canvas, 1 - OPACITY, painted, OPACITY, 0)
    border = _borders(labels, max(1, round(_letters(canvas) / 12)))
    canvas = np.where(known[..., None], np.where(border[..., None], painted, blended), canvas)
    drawing = Image.fromarray(canvas)
    pen = ImageDraw.Draw(drawing)
    shown, counts = np.unique(labels[known], return_counts=True)
    for label, count in zip(shown, counts):
        if label < len(classes) and count >= NAMED * labels.size:
            name = _Label.of(drawing, classes[label], table[label])
            x, y = _inside(labels == label)
            name.moved(x - name.width / 2, y - name.height / 2).write(pen)
    return drawing


def draw_names(image: NDArray[np.uint8], lines: Sequence[str], colour: NDArray[Any]) -> Image.Image:
    """Write names into the upper left corner.

    Args:
        image (np.ndarray): RGB (H, W, 3).
        lines (Sequence[str]): The names, the best first.
        colour (np.ndarray): RGB (3, ), 0-255, of the first one's box; the others have a dark one.

    Returns:
        Image.Image: RGB.
    """
    drawing = Image.fromarray(_resized(image, _own_size(image)))
    pen = ImageDraw.Draw(drawing)
    top = 0.
    for index, line in enumerate(lines):
        label = _Label.of(drawing, line, colour if index == 0 else np.array([40, 40, 40])).moved(0, top)
        label.write(pen)
        top = label.top + label.height
    return drawing


def _own_size(image: NDArray[Any]) -> tuple[int, int]:
    """Width and height of the drawing of an image."""
    height, width = image.shape[:2]
    times = max(1, -(-SMALLEST // max(height, width)))
    longest = max(height, width)
    if longest > LARGEST:
        return max(1, width * LARGEST // longest), max(1, height * LARGEST // longest)
    return times * width, times * height


def _resized(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A copy of that size; pixels of an enlarged image stay squares."""
    if size == image.shape[1::-1]:
        return image.copy()
    smaller = size[0] < image.shape[1]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_NEAREST), np.uint8)


def _letters(canvas: NDArray[Any]) -> int:
    return max(LEAST_LETTERS, round(LETTERS * float(canvas.shape[0] * canvas.shape[1])**0.5))


def _fill(canvas: NDArray[np.uint8], mask: NDArray[Any], colour: NDArray[Any], thickness: int) -> None:
    """Paint a mask with its contour, in the part of the canvas that it covers."""
    inside = mask.astype(np.uint8)
    if mask.shape != canvas.shape[:2]:
        inside = np.asarray(cv2.resize(inside, canvas.shape[1::-1], interpolation=cv2.INTER_NEAREST), np.uint8)
    left, top, width, height = cv2.boundingRect(inside)
    if not width:
        return
    part = canvas[top:top + height, left:left + width]
    painted = cv2.addWeighted(part, 1 - OPACITY, np.full_like(part, colour), OPACITY, 0)
    np.copyto(part, painted, where=inside[top:top + height, left:left + width, None] > 0)
    contours, _ = cv2.findContours(inside, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    cv2.drawContours(canvas, contours, -1, _rgb(colour), thickness)


def _borders(labels: NDArray[Any], thickness: int) -> NDArray[np.bool_]:
    """Pixels next to those of another class."""
    differs = np.zeros(labels.shape, np.uint8)
    differs[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    differs[1:] |= labels[1:] != labels[:-1]
    return cv2.dilate(differs, np.ones((thickness, thickness), np.uint8)) > 0


def _inside(mask: NDArray[np.bool_]) -> tuple[float, float]:
    """The place in a mask that is farthest from its border (x, y)."""
    times = max(1, max(mask.shape) // COARSE)
    coarse = np.pad(mask[::times, ::times].astype(np.uint8), 1)  # an image's border is one, too
    y, x = np.unravel_index(int(cv2.distanceTransform(coarse, cv2.DIST_L2, 3).argmax()), coarse.shape)
    return float((x - 1) * times), float((y - 1) * times)


class _Label(NamedTuple):
    """A text on a filled box, somewhere on an image."""

    text: str
    colour: tuple[int, int, int]
    letters: int
    margin: int
    within: tuple[int, int]
    width: float
    height: float
    left: float = 0
    top: float = 0

    @classmethod
    def of(cls, drawing: Image.Image, text: str, colour: NDArray[Any]) -> '_Label':
        """In the upper left corner; what is too long for the image ends in dots."""
        letters = _letters(np.empty((drawing.height, drawing.width, 0)))
        font, margin = _font(letters), max(1, letters // 5)
        text = _fitting(printable(text), font, drawing.width - 2 * margin)
        return cls(text, _rgb(colour), letters, margin, drawing.size, font.getlength(text) + 2 * margin,
                   sum(font.getmetrics()) + margin)

    def moved(self, left: float, top: float) -> '_Label':
        """At a place, or as near to it as lies within the image."""
        return self._replace(left=max(0., min(float(left), self.within[0] - self.width)),
                             top=min(float(top), self.within[1] - self.height))

    def meets(self, other: '_Label') -> bool:
        """Whether one covers a part of the other."""
        return (abs(2 * (self.left - other.left) + self.width - other.width) < self.width + other.width
                and abs(2 * (self.top - other.top) + self.height - other.height) < self.height + other.height)

    def write(self, pen: ImageDraw.ImageDraw) -> None:
        """Draw it, within the image."""
        top = max(0., self.top)
        pen.rectangle((self.left, top, self.left + self.width, top + self.height), fill=self.colour)
        bright = float(np.dot(self.colour, (0.299, 0.587, 0.114)))
        pen.text((self.left + self.margin, top + self.margin / 2), self.text, font=_font(self.letters),
                 fill='black' if bright > 140 else 'white')


def _fitting(text: str, font: ImageFont.FreeTypeFont, width: float) -> str:
    """The beginning of a text that is no wider."""
    if font.getlength(text) <= width:
        return text
    wider = bisect_right(range(1, len(text)), width, key=lambda kept: font.getlength(f'{text[:kept]}\u2026'))
    return f'{text[:wider]}\u2026'


@cache
def _font(height: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(matplotlib.get_data_path(), 'fonts/ttf/DejaVuSans.ttf')), height)


def _rgb(colour: NDArray[Any]) -> tuple[int, int, int]:
    red, green, blue = (int(part) for part in colour)
    return red, green, blue
