"""Average precision of any images drawn from a test set, from the detections of each that match an object."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lgd_mm.statistics.image_results import Floats, chunks, mean_of_classes

#: What becomes of a detection at an IoU threshold.
FALSE, TRUE, IGNORED = 0, 1, 2
#: COCO's: precision is read at 101 recalls.
RECALLS = np.linspace(0, 1, 101)


@dataclass
class Detections:
    """COCO's average precision over 10 IoU thresholds and all sizes (cocodataset.org/#detection-eval).

    Attributes:
        image (ndarray): Index of the image of each of D detections (D, ); those of an image and class by falling score.
        category (ndarray): Its class (D, ).
        score (ndarray): (D, ).
        match (ndarray): ``FALSE``, ``TRUE`` or ``IGNORED`` at each of T IoU thresholds (D, T), int8.
        objects (ndarray): Objects of each image and class (N, C), without crowds.
    """

    image: NDArray[np.int64]
    category: NDArray[np.int64]
    score: Floats
    match: NDArray[np.int8]
    objects: NDArray[np.int64]
    kind: ClassVar[str] = 'detection'

    def __len__(self) -> int:
        return len(self.objects)

    def of_classes(self, weights: Floats) -> Floats:
        """AP of each class."""
        figures = np.full((len(weights), self.objects.shape[1]), np.nan)
        objects = weights @ self.objects
        for category in range(self.objects.shape[1]):
            mine = np.flatnonzero(self.category == category)
            mine = mine[np.argsort(-self.score[mine], kind='stable')]
            match = self.match[mine]
            for part in chunks(len(weights), match.size or 1):
                figures[part, category] = average_precision(
                    match, weights[part][:, self.image[mine]], objects[part, category])
        return figures

    def values(self, weights: Floats) -> Floats:
        """mAP (B, )."""
        return mean_of_classes(self.of_classes(weights))


def average_precision(match: NDArray[np.int8], weights: Floats, objects: Floats) -> Floats:
    """AP of one class, a mean over thresholds and recalls.

    Args:
        match (ndarray): Of D detections by falling score (D, T).
        weights (ndarray): How often the image of each counts (B, D).
        objects (ndarray): Number of objects (B, ).

    Returns:
        ndarray: (B, ), NaN without objects.
    """
    result = np.full(len(weights), np.nan)
    there = objects > 0
    if not len(match):
        result[there] = 0
        return result
    true = np.cumsum(weights[there, :, None] * (match == TRUE), axis=1)  # (B, D, T)
    false = np.cumsum(weights[there, :, None] * (match == FALSE), axis=1)
    recall = true / objects[there, None, None]
    precision = true / np.maximum(true + false, np.spacing(1))
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    figures = np.zeros((int(there.sum()), match.shape[1]))
    for draw in range(figures.shape[0]):
        for threshold in range(match.shape[1]):
            places = np.searchsorted(recall[draw, :, threshold], RECALLS, side='left')
            reached = places[places < len(match)]
            figures[draw, threshold] = precision[draw, reached, threshold].sum() / len(RECALLS)
    result[there] = figures.mean(axis=1)
    return result


def match_detections(ious: Floats, crowd: NDArray[np.bool_], thresholds: Floats) -> NDArray[np.int8]:
    """Give objects of one image and class to its detections, as COCO's evaluation does.

    Each detection, the surest first, takes the free object that it overlaps most, if by the threshold; else a crowd,
    which any number may take and which makes it count neither way.

    Args:
        ious (ndarray): Of detections by falling score with objects (D, G).
        crowd (ndarray): Whether each object is a crowd (G, ).
        thresholds (ndarray): (T, ).

    Returns:
        ndarray: ``FALSE``, ``TRUE`` or ``IGNORED`` (D, T).
    """
    outcome = np.full((len(ious), len(thresholds)), FALSE, np.int8)
    if not ious.size:
        return outcome
    single, crowds = ious[:, ~crowd], ious[:, crowd]
    free = np.ones((len(thresholds), single.shape[1]), bool)
    bounds = np.minimum(thresholds, 1 - 1e-10)
    for number in range(len(ious)):
        if single.shape[1]:
            open_ious = np.where(free, single[number], -1)  # (T, G)
            best = open_ious.shape[1] - 1 - np.argmax(open_ious[:, ::-1], axis=1)  # of equals COCO takes the last
            taken = open_ious[np.arange(len(bounds)), best] >= bounds
            outcome[number, taken] = TRUE
            free[np.flatnonzero(taken), best[taken]] = False
        if crowds.shape[1]:
            over = (crowds[number].max() >= bounds) & (outcome[number] == FALSE)
            outcome[number, over] = IGNORED
    return outcome
