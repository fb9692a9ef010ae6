"""Predictions of two forms of a network for the same image."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: How far scores may be apart, and corners in parts of the image's longer side.
SCORE, CORNER = 1e-3, 1e-3
#: Part of the pixels whose label or mask may be another: those that are as near to one as to the other.
PIXELS = 1e-3
#: Boxes for each of the network's own that only one may have, because they are at the threshold.
EDGE = 0.05
#: How far raw outputs may be apart, in parts of the largest.
OUTPUT = 1e-3
#: Overlap from which on two boxes of a label are one.
SAME_BOX = 0.9

Arrays = Mapping[str, NDArray[Any]]


@dataclass
class Agreement:
    """Of all images that were compared.

    Attributes:
        images (int): How many.
        boxes (int): Of the network itself, in all images.
        score (float): Largest difference of a score.
        corner (float): Largest difference of a corner, in pixels.
        relative_corner (float): The same as a part of the longer side of its image.
        pixels (int): That were compared: of masks within the image, or of label maps.
        other_pixels (int): Of another label or mask.
        odd (list[str]): What is the one's alone, in words; nothing of it is allowed.
        outputs (float, optional): Of raw outputs, the largest difference as a part of the largest value.
        on_the_edge (int): Boxes that only one has, because their score is as near to the threshold, or to that of the
            last box that is kept, as scores may be apart.
        of_boxes (bool): Whether the network tells of boxes.
    """

    images: int = 0
    boxes: int = 0
    score: float = 0.0
    corner: float = 0.0
    relative_corner: float = 0.0
    pixels: int = 0
    other_pixels: int = 0
    odd: list[str] = field(default_factory=list)
    on_the_edge: int = 0
    outputs: float | None = None
    of_boxes: bool = False

    @property
    def close(self) -> bool:
        """Whether all is within the bounds."""
        if self.outputs is not None:
            return self.outputs <= OUTPUT
        return (not self.odd and self.on_the_edge <= EDGE * self.boxes + 1 and self.score <= SCORE
                and self.relative_corner <= CORNER and self.other_pixels <= PIXELS * max(self.pixels, 1))

    def __str__(self) -> str:
        images = f'{self.images} image{"s" if self.images != 1 else ""}'
        if self.outputs is not None:
            return f'{images}: the raw outputs within {self.outputs:.2g} of the largest value'
        told = []
        if self.boxes:
            told.append(f'{self.boxes} boxes, the corners within {self.corner:.2g} pixels')
        elif self.of_boxes:
            told.append('no boxes, so that none was compared')
        if self.boxes or not (self.pixels or self.of_boxes):
            told.append(f'the scores within {self.score:.2g}')
        if self.pixels:
            told.append(f'{self.other_pixels:,} of {self.pixels:,} pixels of another '
                        f'{"mask" if self.boxes else "label"}')
        if self.on_the_edge:
            told.append(f'{self.on_the_edge} boxes at the threshold that only one has')
        return f'{images}: {", ".join([*told, *self.odd])}'

    def add(self, name: str, expected: Arrays, found: Arrays, side: int, threshold: float, most: int | None = None
            ) -> None:
        """Compare the predictions for one more image.

        Args:
            name (str): Of the image, for messages.
            expected (Mapping[str, NDArray]): Of the network itself.
            found (Mapping[str, NDArray]): Of its other form.
            side (int): The longer side of the image, in pixels.
            threshold (float): Of scores, from which on there are boxes.
            most (int, optional): Boxes that are kept at most. Defaults to None: all.
        """
        self.images += 1
        if 'boxes' in expected:
            self._boxes(name, expected, found, side, threshold, most)
        elif 'labels' in expected:
            self._pixels(name, expected['labels'], found['labels'])
        else:
            self._scores(name, expected['scores'], found['scores'])

    def _boxes(self, name: str, expected: Arrays, found: Arrays, side: int, threshold: float, most: int | None) -> None:
        pairs, alone = matched(expected, found, CORNER * side)
        self.of_boxes = True
        self.boxes += len(expected['boxes'])
        edges = [threshold, *(float(each['scores'].min()) for each in (expected, found)
                              if most is not None and len(each['scores']) >= max(most, 1))]
        for score in alone:
            if any(abs(score - edge) <= SCORE for edge in edges):
                self.on_the_edge += 1
            else:
                self.odd.append(f'a box with the score {score:.3f} that only one has in {name}')
        for own, other in pairs:
            self._scores(name, expected['scores'][own], found['scores'][other])
            corner = float(np.abs(expected['boxes'][own] - found['boxes'][other]).max())
            self.corner = max(self.corner, corner)
            self.relative_corner = max(self.relative_corner, corner / side)
            if 'masks' in expected:
                self._pixels(name, expected['masks'][own], found['masks'][other])

    def _pixels(self, name: str, expected: NDArray[Any], found: NDArray[Any]) -> None:
        if expected.shape != found.shape:
            self.odd.append(f'{found.shape} in the place of {expected.shape} pixels in {name}')
            return
        self.pixels += expected.size
        self.other_pixels += int((expected != found).sum())

    def _scores(self, name: str, expected: Any, found: Any) -> None:
        if not (np.isfinite(expected).all() and np.isfinite(found).all()):
            self.odd.append(f'scores that are not finite in {name}')
            return
        self.score = max(self.score, float(np.abs(np.subtract(expected, found)).max()))


def matched(expected: Arrays, found: Arrays, near: float) -> tuple[list[tuple[int, int]], list[float]]:
    """Boxes that are the same, whatever their order: those of equal scores may have changed places.

    Args:
        expected (Mapping[str, NDArray]): ``boxes`` (N, 4), ``scores`` (N, ), ``labels`` (N, ).
        found (Mapping[str, NDArray]): The same, of another number.
        near (float): Pixels that corners of one box may be apart: those without area overlap nothing.

    Returns:
        tuple[list[tuple[int, int]], list[float]]: Places in both; and the scores of boxes that only one has.
    """
    left = list(range(len(found['boxes'])))
    pairs, alone = [], []
    for own, (box, label) in enumerate(zip(expected['boxes'], expected['labels'])):
        fitting = [each for each in left if found['labels'][each] == label]
        overlaps = overlap(box, found['boxes'][fitting], near)
        if len(fitting) and overlaps.max() >= SAME_BOX:
            # Of equals, the one whose score is the nearest.
            gaps = np.where(overlaps >= SAME_BOX, np.abs(found['scores'][fitting] - expected['scores'][own]), np.inf)
            other = fitting[int(gaps.argmin())]
            pairs.append((own, other))
            left.remove(other)
        else:
            alone.append(float(expected['scores'][own]))
    return pairs, alone + [float(found['scores'][each]) for each in left]


def overlap(box: NDArray[Any], others: NDArray[Any], near: float) -> NDArray[Any]:
    """Intersection over union of a box (4, ) with others (N, 4); 1 for those with corners as near as ``near``."""
    corners = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    common = np.clip(corners[1] - corners[0], 0, None).prod(1)
    areas = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(1)
    union = areas - common
    equal = (np.abs(others - box) <= near).all(1)
    return np.where(equal, 1.0, np.divide(common, union, out=np.zeros_like(common), where=union > 0))
