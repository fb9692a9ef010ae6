"""Differences from a reference below each other, each with its interval."""

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from lgd_mm.report.charts import INK, SERIES, name_rows, new_figure, svg_element


class Row(NamedTuple):
    """One row of the chart.

    Attributes:
        label (str): Written before it.
        series (int): Number of its colour.
        mean (float): The difference, in percent.
        low (float, optional): Lower end of its interval; None: unknown.
        high (float, optional): Its upper end.
        filled (bool): Whether it is more than chance explains.
    """

    label: str
    series: int
    mean: float
    low: float | None
    high: float | None
    filled: bool


def forest_chart(name: str, rows: Sequence[Row], x_label: str) -> Markup:
    """A point for each difference, filled or hollow, with its interval on a line, and a line at no difference.

    Args:
        name (str): Unique on the page; made part of the SVG's ids.
        rows (Sequence[Row]): From top to bottom.
        x_label (str): What is subtracted from what.

    Returns:
        Markup: An ``<svg>`` element.
    """
    figure, axes = new_figure(3.2, 0.75 + 0.32 * len(rows))
    axes.axvline(0, color=INK, alpha=0.45, linewidth=1, linestyle=(0, (4, 3)))
    for y, row in enumerate(rows):
        colour = SERIES[row.series % len(SERIES)]
        if row.low is not None and row.high is not None:
            axes.errorbar(row.mean, y, xerr=[[row.mean - row.low], [row.high - row.mean]], color=colour, linewidth=1.6,
                          capsize=3)
        axes.plot(row.mean, y, 'o', color=colour, markersize=6.5, markerfacecolor=colour if row.filled else 'none',
                  markeredgewidth=1.6)
        axes.annotate(f'{row.mean:+.1f}', (1, y), (4, 0), xycoords=('axes fraction', 'data'), va='center',
                      textcoords='offset points', color=INK, fontsize=10, annotation_clip=False)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    name_rows(axes, [row.label for row in rows])
    axes.margins(x=0.08)
    axes.locator_params(axis='x', nbins=4)
    axes.set_xlabel(x_label, color=INK, parse_math=False)
    return svg_element(figure, name)
