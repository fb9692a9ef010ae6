"""What each class gains or loses, sorted."""

from collections.abc import Sequence

from markupsafe import Markup

from lgd_mm.report.charts import INK, SERIES, name_rows, new_figure, svg_element

#: Classes at either end that are drawn; with more classes, those between are left out.
ENDS = 10


def gain_chart(name: str, gains: Sequence[tuple[str, float]], series: int, higher: bool = True) -> Markup:
    """A bar for each class to the right or the left of no difference; those that get worse are pale.

    Args:
        name (str): Unique on the page; made part of the SVG's ids.
        gains (Sequence[tuple[str, float]]): Classes and their differences in percent, from top to bottom; of more than
            2 x :data:`ENDS`, those at either end.
        series (int): Number of the colour.
        higher (bool): Whether more is better. Defaults to True.

    Returns:
        Markup: An ``<svg>`` element.
    """
    left_out = len(gains) - 2 * ENDS
    shown = list(gains) if left_out <= 0 else [*gains[:ENDS], (f'… {left_out} more', 0.0), *gains[-ENDS:]]
    figure, axes = new_figure(3.2, 0.25 + 0.22 * len(shown))
    axes.axvline(0, color=INK, alpha=0.45, linewidth=1)
    for y, (_, gain) in enumerate(shown):
        if left_out > 0 and y == ENDS:
            continue
        axes.barh(y, gain, height=0.66, color=SERIES[series % len(SERIES)], alpha=1 if (gain > 0) == higher else 0.55)
        axes.annotate(f'{gain:+.1f}', (max(gain, 0), y), (4, 0), va='center', textcoords='offset points', color=INK,
                      fontsize=10)
    furthest = max([abs(gain) for _, gain in shown]) or 1
    axes.set_xlim(min([0.0, *(gain for _, gain in shown)]), max([0.0, *(gain for _, gain in shown)]) + 0.35 * furthest)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    name_rows(axes, [label for label, _ in shown], lines=1)
    axes.set_xticks([])
    axes.spines[['bottom', 'left']].set_visible(False)
    return svg_element(figure, name)
