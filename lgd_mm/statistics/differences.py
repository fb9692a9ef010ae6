"""The rule by which two students differ: over other seeds, and over other test images."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import optimize, stats

from lgd_mm.statistics.image_results import Floats

#: Of a test, and of what an interval leaves out.
LEVEL = 0.05
#: Points of a standard normal, and how much of it each stands for.
NORMAL = np.linspace(-8, 8, 2001)
WEIGHTS = stats.norm.pdf(NORMAL) * (NORMAL[1] - NORMAL[0])


class Row(NamedTuple):
    """A metric of one student, measured with several seeds.

    Attributes:
        seeds (tuple[int, ...]): n of them.
        values (ndarray): Of each seed (n, ).
        draws (ndarray, optional): Of each seed, and of B draws of the test images (n, B), which are the same for all
            students.
    """

    seeds: tuple[int, ...]
    values: Floats
    draws: Floats | None = None

    def of(self, seeds: Sequence[int]) -> 'Row':
        """The row with fewer seeds."""
        places = [self.seeds.index(seed) for seed in seeds]
        return self._replace(
            seeds=tuple(seeds), values=self.values[places], draws=None if self.draws is None else self.draws[places])


class Estimate(NamedTuple):
    """A difference of two means.

    Attributes:
        mean (float): First minus second.
        by_seeds (float): Its standard error over the seeds, estimated from few.
        freedom (float): Degrees of freedom of that.
        by_images (float): Its standard error over the test images, of which there are many.
    """

    mean: float
    by_seeds: float
    freedom: float
    by_images: float

    @property
    def p(self) -> float:
        """Probability of a difference at least as large without a true one, two-sided."""
        return 2 * self._above(abs(self.mean))

    @property
    def margin(self) -> float:
        """Half of the 95 % interval."""
        highest = 8 * self.by_images + float(stats.t.isf(LEVEL / 4, self.freedom)) * self.by_seeds
        return float(optimize.brentq(lambda bound: self._above(bound) - LEVEL / 2, 0, highest))

    def _above(self, bound: float) -> float:
        """Probability that what seeds and images have added is above a bound.

        It is the sum of a Student's t by the seeds and a normal by the images, as in the Behrens-Fisher distribution
        (Fisher 1935), which keeps the level also where the few seeds happen to lie close together; a single t with
        Satterthwaite's degrees of freedom does not.
        """
        with np.errstate(divide='ignore', invalid='ignore'):
            tails = stats.t.sf((bound - self.by_images * NORMAL) / self.by_seeds, self.freedom)
        return float(np.nan_to_num(tails, nan=0.5) @ WEIGHTS)


def estimate(first: Row, second: Row, column: Sequence[Row]) -> Estimate | None:
    """What is known of the difference between two students.

    Seeds and test images are crossed random effects: the squared standard error is the sum of what other seeds and what
    other images would change. Seeds are paired where both students have the same ones; few seeds tell little of a
    variance, so it is pooled over all students of the column, unless the pair's own is larger: the residual of Fisher's
    randomised blocks, with seeds for blocks, or for students with other seeds the variance within students. A pair by
    itself with other seeds has the degrees of freedom of the fewer, which keep the level whatever the variances (Mickey
    & Brown 1966, *Bounds on the distribution functions of the Behrens-Fisher statistic*); Welch's do not.
    Images are always paired: their part is the variance of the difference over a bootstrap of the images.

    Args:
        first (Row): One student.
        second (Row): Another.
        column (Sequence[Row]): All students of the column, these two among them.

    Returns:
        Estimate, optional: None with one seed, or where nothing has varied.
    """
    shared = sorted({*first.seeds} & {*second.seeds})
    if len(shared) > 1:
        first, second = first.of(shared), second.of(shared)
        by_seeds, freedom = _paired(first, second, [row.of(shared) for row in column if {*shared} <= {*row.seeds}])
    elif min(len(first.seeds), len(second.seeds)) > 1:
        by_seeds, freedom = _unpaired(first, second, column)
    else:
        return None
    by_images = _by_images(first, second)
    if not by_seeds + by_images > 0:
        return None
    mean = float(first.values.mean() - second.values.mean())
    return Estimate(mean, math.sqrt(by_seeds), freedom, math.sqrt(by_images))


def _paired(first: Row, second: Row, rows: Sequence[Row]) -> tuple[float, float]:
    """Squared standard error of the mean difference over the same seeds, and its degrees of freedom."""
    values = np.stack([row.values for row in rows])
    residuals = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    freedom = (values.shape[0] - 1) * (values.shape[1] - 1)
    pooled = 2 * (residuals**2).sum() / freedom
    own = (first.values - second.values).var(ddof=1)
    return float(max(pooled, own)) / values.shape[1], freedom


def _unpaired(first: Row, second: Row, rows: Sequence[Row]) -> tuple[float, float]:
    """The same of students with other seeds."""
    own = sum(row.values.var(ddof=1) / len(row.values) for row in (first, second))
    if len(rows) < 3:
        return float(own), min(len(first.values), len(second.values)) - 1
    several = [row.values for row in rows if len(row.values) > 1]
    freedom = sum(len(values) - 1 for values in several)
    pooled = sum(((values - values.mean())**2).sum() for values in several) / freedom
    return float(max(own, pooled / len(first.values) + pooled / len(second.values))), freedom


def _by_images(first: Row, second: Row) -> float:
    if first.draws is None or second.draws is None:
        return 0.0
    return float((first.draws.mean(axis=0) - second.draws.mean(axis=0)).var(ddof=1))


def holm(probabilities: Sequence[float | None]) -> list[float | None]:
    """Probabilities adjusted for their number, so that any false finding among all has the level (Holm 1979).

    Args:
        probabilities (Sequence[float, optional]): Of each test; None where nothing could be tested, which does not
            count.

    Returns:
        list[float, optional]: In the same order.
    """
    adjusted: list[float | None] = [None] * len(probabilities)
    tested = sorted((p, place) for place, p in enumerate(probabilities) if p is not None)
    highest = 0.0
    for rank, (p, place) in enumerate(tested):
        highest = max(highest, min(1.0, (len(tested) - rank) * p))
        adjusted[place] = highest
    return adjusted
