"""Charts as inline SVG whose colours follow the page: text in ``currentColor``, series in CSS variables."""

import io
import re
import textwrap
import warnings
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

#: Stand-ins that the SVG text exchanges for the page's colours.
INK = '#010203'
SERIES = [f'#0a0b{index:02x}' for index in range(10)]


class Curve(NamedTuple):
    """One line of a chart: the number of its colour, and its points."""

    series: int
    x: Sequence[float]
    y: Sequence[float]


class Bar(NamedTuple):
    """One bar of a chart.

    Attributes:
        label (str): Written before it.
        mean (float, optional): Its length, in percent; None: ``missing`` stands in its place.
        std (float, optional): Its error bar, in percent; None: unknown.
        values (Sequence[float]): A dot for each, in percent.
        missing (str): Why it has no mean.
    """

    label: str
    mean: float | None
    std: float | None
    values: Sequence[float]
    missing: str


def curve_chart(name: str, curves: Sequence[Curve], x_label: str, markers: bool = False) -> Markup:
    """Overlaid curves; the page has the legend.

    Args:
        name (str): Unique on the page; made part of the SVG's ids.
        curves (Sequence[Curve]): The lines.
        x_label (str): What x counts.
        markers (bool): Mark the points, for few of them. Defaults to False.

    Returns:
        Markup: An ``<svg>`` element.
    """
    figure, axes = new_figure(3.2, 2.1)
    for curve in curves:
        axes.plot(curve.x, curve.y, color=SERIES[curve.series % len(SERIES)], linewidth=1.4,
                  marker='o' if markers or len(curve.x) == 1 else None, markersize=3.5)
    axes.set_xlabel(x_label, color=INK)
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.grid(axis='y', color=INK, alpha=0.12, linewidth=0.8)
    return svg_element(figure, name)


def bar_chart(name: str, bars: Sequence[Bar], series: int | None = None) -> Markup:
    """Bars below each other, with their standard deviation and a dot for each seed.

    Args:
        name (str): Unique on the page; made part of the SVG's ids.
        bars (Sequence[Bar]): From top to bottom.
        series (int, optional): Number of their one colour. Defaults to None: colours go by their order.

    Returns:
        Markup: An ``<svg>`` element.
    """
    figure, axes = new_figure(3.2, 0.2 + 0.3 * len(bars))
    ends = [0.0]
    for y, bar in enumerate(bars):
        end = 0.0
        if bar.mean is not None:
            axes.barh(y, bar.mean, height=0.62, color=SERIES[(y if series is None else series) % len(SERIES)])
            end = max([bar.mean + (bar.std or 0), *bar.values])
            if bar.std is not None:
                axes.errorbar(bar.mean, y, xerr=bar.std, color=INK, linewidth=1.1, capsize=3)
                axes.plot(bar.values, [y + 0.18] * len(bar.values), 'o', color=INK, markersize=2.4, alpha=0.55)
        axes.annotate(bar.missing if bar.mean is None else f'{bar.mean:.1f}', (end, y), (4, 0), va='center',
                      textcoords='offset points', color=INK, fontsize=10)
        ends.append(end)
    axes.set_xlim(0, max(ends) * 1.2 or 1)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    name_rows(axes, [bar.label for bar in bars])
    axes.set_xticks([])
    axes.spines['bottom'].set_visible(False)
    return svg_element(figure, name)


def name_rows(axes: Axes, labels: Sequence[str], lines: int = 2) -> None:
    """Write a label before each row of a chart.

    Args:
        axes (Axes): Its rows are at 0, 1, 2, ... of its vertical axis.
        labels (Sequence[str]): Of the rows.
        lines (int): That a label has at most; what is longer ends with dots. Defaults to 2.
    """
    short = ['\n'.join(textwrap.wrap(label, 18, max_lines=lines, placeholder=' …')) for label in labels]
    axes.set_yticks(range(len(labels)), short, linespacing=0.95, parse_math=False)


def described(chart: Markup, name: str, title: str, description: str) -> Markup:
    """A chart with the words that are read out in its place.

    Args:
        chart (Markup): An ``<svg>`` element.
        name (str): Unique on the page; made part of the ids of the words.
        title (str): What it shows.
        description (str): What is seen in it, in a sentence or two.

    Returns:
        Markup: The element.
    """
    head = Markup('<svg role="img" aria-labelledby="{name}-title" aria-describedby="{name}-about"{rest}>'
                  '<title id="{name}-title">{title}</title><desc id="{name}-about">{description}</desc>')
    rest, _, body = chart.removeprefix('<svg').partition('>')
    return head.format(name=name, rest=Markup(rest), title=title, description=description) + Markup(body)  # nosec B704


def new_figure(width: float, height: float) -> tuple[Figure, Axes]:
    """Begin a chart.

    Args:
        width (float): Inches; 3.2 are as wide as a phone, with texts of 10 points as large as those of the page.
        height (float): Inches.

    Returns:
        tuple[Figure, Axes]: With a frame that is only what the eye needs.
    """
    figure = Figure(figsize=(width, height), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[['top', 'right']].set_visible(False)
    axes.spines[['left', 'bottom']].set(color=INK, alpha=0.35)
    axes.tick_params(color=INK, labelcolor=INK, length=0, labelsize=10)
    return figure, axes


def svg_element(figure: Figure, name: str) -> Markup:
    """A figure as an element to be put into HTML: no prolog, own ids, the page's colours and font.

    Args:
        figure (Figure): Drawn in :data:`INK` and :data:`SERIES`.
        name (str): Unique on the page; made part of the SVG's ids.

    Returns:
        Markup: An ``<svg>`` element.
    """
    stream = io.StringIO()
    with rc_context({'svg.fonttype': 'none', 'svg.hashsalt': name}), warnings.catch_warnings():
        # Text stays text and ids are repeatable. The browser has the glyphs that matplotlib's font lacks.
        warnings.filterwarnings('ignore', message='Glyph .* missing from', category=UserWarning)
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
    return Markup(text)  # nosec B704  # matplotlib's own SVG, which escapes labels
