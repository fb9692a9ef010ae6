"""What a test set's images add to a metric, so that the metric can be computed of any images drawn from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Numbers that are computed at a time when images are drawn.
CHUNK = 1 << 24


class ImageResults(Protocol):
    """What N images add to a metric."""

    kind: ClassVar[str]

    def __len__(self) -> int:
        """Number of images."""

    def values(self, weights: Floats) -> Floats:
        """The metric.

        Args:
            weights (ndarray): How often each image counts (B, N), in B draws.

        Returns:
            ndarray: Between 0 and 1 (B, ); NaN where no drawn image says anything.
        """

    def of_classes(self, weights: Floats) -> Floats:
        """The metric of each class.

        Args:
            weights (ndarray): How often each image counts (B, N), in B draws.

        Returns:
            ndarray: Between 0 and 1 (B, C); NaN for a class that no drawn image has.
        """


@dataclass
class RightOrWrong:
    """Accuracy: the share of images that are classified rightly.

    Attributes:
        right (ndarray): Whether each image is (N, ), bool.
        label (ndarray): Its class (N, ), integers.
        classes (int): Number of classes C.
    """

    right: NDArray[np.bool_]
    label: NDArray[np.int64]
    classes: int
    kind: ClassVar[str] = 'accuracy'

    def __len__(self) -> int:
        return len(self.right)

    def of_classes(self, weights: Floats) -> Floats:
        """The accuracy within each class."""
        right, members = (np.stack([np.bincount(self.label, row, self.classes) for row in drawn])
                          for drawn in (weights * self.right, weights))
        with np.errstate(invalid='ignore'):
            shares: Floats = right / members
        return shares

    def values(self, weights: Floats) -> Floats:
        """Accuracy of all images (B, )."""
        accuracies: Floats = weights @ self.right / weights.sum(axis=1)
        return accuracies


@dataclass
class Areas:
    """mIoU: the areas of all images are summed first, then the classes' ratios are averaged.

    Attributes:
        intersection (ndarray): Pixels of each image and class that label and prediction share (N, C).
        union (ndarray): Pixels that either has (N, C).
    """

    intersection: NDArray[np.int64]
    union: NDArray[np.int64]
    kind: ClassVar[str] = 'iou'

    def __len__(self) -> int:
        return len(self.union)

    def of_classes(self, weights: Floats) -> Floats:
        """IoU of each class."""
        with np.errstate(invalid='ignore'):
            ratios: Floats = (weights @ self.intersection) / (weights @ self.union)
        return ratios

    def values(self, weights: Floats) -> Floats:
        """mIoU (B, )."""
        return mean_of_classes(self.of_classes(weights))


def mean_of_classes(figures: Floats) -> Floats:
    """The mean over the classes that there are.

    Args:
        figures (ndarray): (B, C), NaN where there is no such class.

    Returns:
        ndarray: (B, ), NaN where there is none.
    """
    there = ~np.isnan(figures)
    with np.errstate(invalid='ignore'):
        means: Floats = np.where(there, figures, 0).sum(axis=1) / there.sum(axis=1)
    return means


def chunks(draws: int, each: int) -> Iterator[slice]:
    """Slices of the draws that hold about 16 million numbers.

    Args:
        draws (int): Number of draws.
        each (int): Numbers for each.

    Yields:
        slice: One after the other.
    """
    step = max(1, CHUNK // max(1, each))
    yield from (slice(start, start + step) for start in range(0, draws, step))


def drawn(images: int, draws: int, seed: int = 0) -> Floats:
    """How often each image is in each of several draws with replacement, as a bootstrap's (Efron 1979).

    Args:
        images (int): N, of which N are drawn.
        draws (int): B.
        seed (int): Of the draws. Defaults to 0.

    Returns:
        ndarray: (B, N); each row sums to N.
    """
    generator = np.random.default_rng(seed)
    counts: Floats = generator.multinomial(images, np.full(images, 1 / images), size=draws).astype(float)
    return counts


def names_of(paths: Sequence[str]) -> list[str]:
    """Short names of images: their paths without the folders that all of them share."""
    parts = [path.replace('\\', '/').split('/') for path in paths]
    shared = 0
    shortest = min(map(len, parts), default=1) - 1
    while shared < shortest and len({part[shared] for part in parts}) == 1:
        shared += 1
    return ['/'.join(part[shared:]) for part in parts]
