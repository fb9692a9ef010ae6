"""How the teacher sorted the images into the categories."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup
from torch import Tensor

from lgd_mm.report.charts import Bar, Curve, bar_chart, curve_chart

#: More categories than this have no bar each.
BARS = 24
LISTED = 10


class Histogram(NamedTuple):
    """Pseudo labels by category.

    Attributes:
        total (int): Views that were sorted.
        names (int): Categories there are.
        seen (int): Those that got any.
        chart (Markup): Shares in percent: a bar for each category or, of many, a curve in the order of their shares.
        most (list[tuple[str, int]]): The most frequent categories and their counts; empty if each has a bar.
        least (list[tuple[str, int]]): The least frequent ones, the least first.
    """

    total: int
    names: int
    seen: int
    chart: Markup
    most: list[tuple[str, int]]
    least: list[tuple[str, int]]


def pseudo_label_histogram(name: str, names: Sequence[str], counts: Tensor) -> Histogram:
    """Draw the pseudo labels of a run.

    Args:
        name (str): Of the chart, unique on the page.
        names (Sequence[str]): C category names.
        counts (Tensor): Pseudo labels so far (C, ), not all 0.

    Returns:
        Histogram: For the page.
    """
    total, seen = int(counts.sum()), int((counts > 0).sum())
    order = counts.argsort(descending=True, stable=True).tolist()
    shares = [100 * int(counts[index]) / total for index in order]
    if len(names) <= BARS:
        chart = bar_chart(name, [Bar(names[index], share, None, (), '') for index, share in zip(order, shares)], 1)
        return Histogram(total, len(names), seen, chart, [], [])
    chart = curve_chart(name, [Curve(1, range(1, len(shares) + 1), shares)], 'category, by its share')
    listed = [(names[index], int(counts[index])) for index in order]
    return Histogram(total, len(names), seen, chart, listed[:LISTED], listed[:-LISTED - 1:-1])
