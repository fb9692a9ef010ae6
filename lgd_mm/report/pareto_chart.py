"""Accuracy against cost: what nothing else beats in both lies on a line."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, NullLocator

from lgd_mm.report.charts import INK, SERIES, new_figure, svg_element

#: Of labels, in points: from one to the next below, from a point up to its own, and a letter's width.
LINE, ABOVE, WIDTH = 12, 8, 5.8


class Place(NamedTuple):
    """An entry of the chart.

    Attributes:
        label (str): Written beside it.
        series (int): Number of its colour.
        cost (float): Above 0; less is better.
        value (float): In percent.
        std (float, optional): Of the value; None: unknown.
    """

    label: str
    series: int
    cost: float
    value: float
    std: float | None


def frontier(places: Sequence[Place], higher: bool = True) -> list[Place]:
    """Those that no other beats in cost and value, or in one of them with the other being equal.

    Args:
        places (Sequence[Place]): In any order.
        higher (bool): Whether more is better of the value. Defaults to True.

    Returns:
        list[Place]: The cheapest first.
    """
    sign = 1 if higher else -1
    best: list[Place] = []
    for place in sorted(places, key=lambda each: (each.cost, -sign * each.value)):
        equal = best and (place.cost, place.value) == (best[-1].cost, best[-1].value)
        if not best or equal or sign * place.value > sign * best[-1].value:
            best.append(place)
    return best


def pareto_chart(name: str, places: Sequence[Place], x_label: str, y_label: str, higher: bool = True) -> Markup:
    """Entries by cost, on a logarithmic scale, and value, with their standard deviations.

    Args:
        name (str): Unique on the page; made part of the SVG's ids.
        places (Sequence[Place]): The entries.
        x_label (str): The cost.
        y_label (str): The value.
        higher (bool): Whether more is better of the value. Defaults to True.

    Returns:
        Markup: An ``<svg>`` element; a line joins the :func:`frontier`.
    """
    figure, axes = new_figure(3.2, 2.8)
    line = frontier(places, higher)
    axes.plot([place.cost for place in line], [place.value for place in line], color=INK, alpha=0.4, linewidth=1.2,
              drawstyle='steps-post')
    for place in places:
        colour = SERIES[place.series % len(SERIES)]
        axes.errorbar(place.cost, place.value, yerr=place.std, color=colour, linewidth=1.2, capsize=3)
        axes.plot(place.cost, place.value, 'o', color=colour, markersize=6.5,
                  markerfacecolor=colour if place in line else 'none', markeredgewidth=1.6)
    axes.set_xscale('log')
    axes.xaxis.set_major_locator(FixedLocator(_ticks([place.cost for place in places])))
    axes.xaxis.set_major_formatter(lambda cost, _: f'{cost:g}')
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.12, y=0.12)
    axes.set_xlabel(x_label, color=INK, parse_math=False)
    axes.set_ylabel(y_label, color=INK, parse_math=False)
    figure.draw_without_rendering()  # until then nobody knows where the points are
    _label(axes, places)
    return svg_element(figure, name)


def _ticks(costs: Sequence[float]) -> list[float]:
    """Round numbers from the least to the most, evenly on a logarithmic scale."""
    return sorted({float(f'{cost:.2g}') for cost in np.geomspace(min(costs), max(costs), 4)})


def _label(axes: Axes, places: Sequence[Place]) -> None:
    """Labels above their points, towards the middle; where one would cover another, below that one."""
    middle = axes.transAxes.transform((0.5, 0))[0]
    scale = 72 / axes.figure.dpi  # points of a pixel
    taken: list[tuple[float, float, float]] = []
    for place in sorted(places, key=lambda each: -each.value):
        x, y = axes.transData.transform((place.cost, place.value))
        side = -1 if x > middle else 1
        label = textwrap.shorten(place.label, 22, placeholder=' …')
        near, far = sorted((x * scale, x * scale + side * (6 + WIDTH * len(label))))
        at = y * scale + ABOVE
        for left, right, line in taken:  # from the highest down
            if left < far and near < right and abs(line - at) < LINE:
                at = line - LINE
        taken.append((near, far, at))
        taken.sort(key=lambda each: -each[2])
        axes.annotate(label, (place.cost, place.value), (side * 6, at - y * scale), textcoords='offset points',
                      ha='right' if side < 0 else 'left', va='center', color=INK, fontsize=10, parse_math=False)
