"""Charts as inline SVG whose colours follow the page: text in ``currentColor``, series in CSS variables."""

import io
import re
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

#: Stand-ins that the SVG text exchanges for the page's colours.
INK = '#010203'
SERIES = [f'#0a0b{index:02x}' for index in range(6)]


class Curve(NamedTuple):
    """One line of a chart: its legend entry (None: none), its colour's number and its points."""

    label: str | None
    series: int
    x: Sequence[float]
    y: Sequence[float]


def curve_chart(name: str, curves: Sequence[Curve], x_label: str, markers: bool = False) -> Markup:
    """Overlaid curves with a legend on top.

    Args:
        name (str): Unique on the page; made part of the SVG's ids.
        curves (Sequence[Curve]): The lines.
        x_label (str): What x counts.
        markers (bool): Mark the points, for few of them. Defaults to False.

    Returns:
        Markup: An ``<svg>`` element.
    """
    figure, axes = _figure(3.6, 2.5)
    for curve in curves:
        axes.plot(curve.x, curve.y, color=SERIES[curve.series % len(SERIES)], label=curve.label, linewidth=1.5,
                  marker='o' if markers else None, markersize=3.5)
    axes.set_xlabel(x_label, color=INK)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.grid(axis='y', color=INK, alpha=0.12, linewidth=0.8)
    axes.legend(frameon=False, labelcolor=INK, loc='lower left', bbox_to_anchor=(-0.02, 1.0), ncols=3,
                handlelength=1.2, columnspacing=1.2, borderpad=0, fontsize=10.5)
    return _svg(figure, name)


def bar_chart(name: str, rows: Sequence[dict[str, Any]], metric: str) -> Markup:
    """One bar for each row of the results, with its spread and a dot for each seed.

    Args:
        name (str): Unique on the page; made part of the SVG's ids.
        rows (Sequence[dict]): ``results['rows']``.
        metric (str): Key of the metric, in percent.

    Returns:
        Markup: An ``<svg>`` element.
    """
    figure, axes = _figure(2.6, 2.3)
    tops = [0.0]
    for x, row in enumerate(rows):
        mean, spread = row['metrics'][metric], row['spread'][metric] or 0.0
        if mean is None:
            axes.annotate('–', (x, 0), (0, 3), textcoords='offset points', ha='center', color=INK, fontsize=11)
            continue
        axes.bar(x, mean, width=0.58, color=SERIES[x % len(SERIES)])
        seeds = [entry['metrics'][metric] for entry in row['per_seed']]
        if spread:
            axes.errorbar(x, mean, spread, color=INK, linewidth=1.2, capsize=4)
            axes.plot([x + 0.17] * len(seeds), seeds, 'o', color=INK, markersize=2.6, alpha=0.55)
        top = max([mean + spread, *seeds])
        axes.annotate(f'{mean:.1f}', (x, top), (0, 4), textcoords='offset points', ha='center', color=INK, fontsize=11)
        tops.append(top)
    axes.set_ylim(0, max(tops) * 1.16 or 1)
    axes.set_xlim(-0.6, len(rows) - 0.4)
    axes.set_xticks(range(len(rows)), ['\n'.join(textwrap.wrap(row['label'], 12)) for row in rows], fontsize=10.5)
    axes.set_yticks([])
    axes.spines['left'].set_visible(False)
    return _svg(figure, name)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure in inches whose frame is only what the eye needs."""
    figure = Figure(figsize=(width, height), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[['top', 'right']].set_visible(False)
    axes.spines[['left', 'bottom']].set(color=INK, alpha=0.35)
    axes.tick_params(color=INK, labelcolor=INK, length=0, labelsize=10)
    return figure, axes


def _svg(figure: Figure, name: str) -> Markup:
    """The figure as an element to be put into HTML: no prolog, own ids, the page's colours and font."""
    stream = io.StringIO()
    with matplotlib.rc_context({'svg.fonttype': 'none', 'svg.hashsalt': name}):  # text stays text, ids are repeatable
        figure.savefig(stream, format='svg', transparent=True, metadata={'Date': None})
    text = stream.getvalue()
    text = text[text.index('<svg'):]
    text = re.sub(r'<metadata>.*?</metadata>', '', text, flags=re.DOTALL)
    text = re.sub(r'(\bid="|href="#|url\(#)', rf'\1{name}-', text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r'\1', text, count=1)  # the viewBox alone: the page gives the width
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r'\1', text, count=1)
    text = text.replace(INK, 'currentColor')
    for index, stand_in in enumerate(SERIES):
        text = text.replace(stand_in, f'var(--series-{index})')
    return Markup(text)
