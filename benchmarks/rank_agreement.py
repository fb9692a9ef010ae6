"""Whether two measures put students in the same order: Kendall's tau-b, its interval and its exact p."""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from frozen_students import PerImage
from numpy.typing import NDArray
from scipy.stats import kendalltau, permutation_test

Floats = NDArray[np.float64]


class Draws(NamedTuple):
    """Means of S students in B draws of their seeds and of the images.

    Attributes:
        first (ndarray): Of the measure that is drawn by seeds alone (S, B).
        second (ndarray): Of the one that is drawn by seeds and images (S, B).
    """

    first: Floats
    second: Floats


class Agreement(NamedTuple):
    """Of the orders of S students.

    Attributes:
        tau (float): Kendall's tau-b of the means.
        low (float): Of the 95 % interval: percentiles of the draws.
        high (float): Likewise.
        p (float): Of all S! orders, the share whose tau is as far from 0: exact, two-sided.
    """

    tau: float
    low: float
    high: float
    p: float


def draw(first: Sequence[Sequence[float]], second: Sequence[Sequence[PerImage]], count: int, seed: int = 0) -> Draws:
    """Hierarchical bootstrap: of each student its seeds, the same of both measures, and images, the same of all.

    Args:
        first (Sequence[Sequence[float]]): For each student the figures of its seeds.
        second (Sequence[Sequence[PerImage]]): Likewise, in the same order.
        count (int): Number of draws B.
        seed (int): Of the draws. Defaults to 0.

    Returns:
        Draws: Of the means.
    """
    generator = np.random.default_rng(seed)
    images = len(second[0][0].right)
    weights = generator.multinomial(images, np.full(images, 1 / images), count).astype(float)
    drawn: tuple[list[Floats], list[Floats]] = [], []
    for figures, results in zip(first, second, strict=True):
        seeds = generator.integers(len(figures), size=(count, len(figures)))
        values = np.stack([result.values(weights) for result in results], axis=1)
        drawn[0].append(np.asarray(figures)[seeds].mean(axis=1))
        drawn[1].append(np.take_along_axis(values, seeds, axis=1).mean(axis=1))
    return Draws(*map(np.stack, drawn))


def agreement(first: Sequence[float], second: Sequence[float], draws: Draws) -> Agreement:
    """Compare the orders by two measures.

    Args:
        first (Sequence[float]): Means of S students.
        second (Sequence[float]): By the other measure.
        draws (Draws): Of the same students.

    Returns:
        Agreement: Of the two orders.
    """
    drawn = [kendalltau(*pair).statistic for pair in zip(draws.first.T, draws.second.T)]
    exact = permutation_test((np.asarray(first), ), lambda order: kendalltau(order, second).statistic,
                             permutation_type='pairings', n_resamples=np.inf)
    return Agreement(kendalltau(first, second).statistic, *np.nanpercentile(drawn, (2.5, 97.5)), exact.pvalue)


def differences(drawn: Floats) -> tuple[int, float]:
    """How well a measure tells students (S, B) from each other.

    Returns:
        tuple[int, float]: Of how many pairs the 95 % interval of the difference excludes 0, not corrected for many
        pairs, and half of its width, the median of the pairs.
    """
    bounds = np.array([np.percentile(one - other, (2.5, 97.5)) for one, other in combinations(drawn, 2)])
    apart = (bounds > 0).all(axis=1) | (bounds < 0).all(axis=1)
    return int(apart.sum()), float(np.median(np.ptp(bounds, axis=1)) / 2)
