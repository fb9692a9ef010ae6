"""Charts that compare: differences with intervals, gains of classes, accuracy against cost."""

import re

import pytest
from markupsafe import Markup

from lgd_mm.report.charts import INK, SERIES, described
from lgd_mm.report.forest_chart import Row, forest_chart
from lgd_mm.report.gain_chart import gain_chart
from lgd_mm.report.pareto_chart import Place, frontier, pareto_chart


def texts(svg: str) -> list[str]:
    return re.findall('<text[^>]*>(.*?)</text>', svg)


def smallest(svg: str) -> float:
    """The smallest font in pixels, where the chart is as wide as a phone of 390 leaves it: 358."""
    width = float(re.search(r'viewBox="0 0 ([\d.]+) ', svg)[1])
    return min(map(float, re.findall(r'font(?:-size)?: ([\d.]+)px', svg))) * 358 / width


CHARTS = {
    'forest': forest_chart('c', [Row('A <b>', 1, 2.0, 1.0, 3.0, True), Row('$x$', 2, -4.0, None, None, False)],
                           'minus B'),
    'gain': gain_chart('c', [('cat', 3.0), ('dog', -1.5)], 1),
    'pareto': pareto_chart('c', [Place('A <b>', 1, 2.0, 40.0, 1.0), Place('B', 2, 8.0, 30.0, None)], 'ms', 'mIoU'),
}


@pytest.mark.parametrize('name', CHARTS)
def test_a_chart_is_of_the_page(name: str) -> None:
    """Its colours, its size on a phone, and its text as text."""
    svg = CHARTS[name]
    assert svg.startswith('<svg') and 'var(--series-1)' in svg
    assert not any(colour in svg for colour in (INK, *SERIES))
    assert smallest(svg) >= 14
    assert '<b>' not in svg and not re.search(r'<svg[^>]* (width|height)=', svg)


def test_a_difference_lies_where_it_is_and_is_filled_if_it_is_more_than_chance() -> None:
    svg = forest_chart('c', [Row('A', 1, 2.0, 1.0, 3.0, True), Row('B', 2, -4.0, -6.0, -2.0, False)], 'minus C')
    assert {'A', 'B', '+2.0', '-4.0', 'minus C'} <= {text.replace('\N{MINUS SIGN}', '-') for text in texts(svg)}
    caps = re.findall(r'x="([\d.]+)" y="[\d.]+" style="fill: var\(--series-(\d)\); stroke: [^;]*"/>', svg)
    one, three, six, two = (float(x) for x, _ in caps)  # percent
    assert [series for _, series in caps] == ['1', '1', '2', '2']
    unit = (three - one) / 2
    assert (two - six, one - two) == pytest.approx((4 * unit, 3 * unit), rel=1e-3)
    points = re.findall(r'x="([\d.]+)" y="[\d.]+" style="([^:]*): [^;]*; stroke: var\(--series-(\d)\); stroke-w', svg)
    assert [(fill, series) for _, fill, series in points] == [('fill', '1'), ('fill-opacity', '2')]
    assert [float(x) for x, *_ in points] == pytest.approx([one + unit, six + 2 * unit], rel=1e-3)


def test_one_seed_has_a_point_alone() -> None:
    svg = forest_chart('c', [Row('A', 1, 2.0, None, None, False)], 'minus C')
    assert '+2.0' in svg and svg.count('<use') == 1


def test_all_classes_or_those_at_either_end() -> None:
    gains = [(f'class {number}', 30.0 - number) for number in range(61)]
    shown = texts(gain_chart('c', gains[:20], 1))
    assert [text for text in shown if text.startswith('class')] == [name for name, _ in gains[:20]]
    shown = texts(gain_chart('c', gains, 1))
    named = [text for text in shown if 'class' in text or '…' in text]
    assert named == [*(name for name, _ in gains[:10]), '… 41 more', *(name for name, _ in gains[-10:])]
    assert '+30.0' in shown and '-30.0' in shown and '+0.0' not in shown


def test_no_gain_at_all() -> None:
    assert '+0.0' in gain_chart('c', [('cat', 0.0)], 1)


@pytest.mark.parametrize('higher, expected', [(True, 'abeg'), (False, 'ac')])
def test_frontier_is_what_nothing_beats(higher: bool, expected: str) -> None:
    """As by comparing each with each."""
    places = [Place(name, 0, cost, value, None) for name, cost, value in [
        ('a', 1, 10), ('b', 2, 30), ('c', 3, 5), ('d', 3, 30), ('e', 4, 31), ('f', 2, 20), ('g', 4, 31)]]
    sign = 1 if higher else -1

    def beaten(one: Place) -> bool:
        return any(other.cost <= one.cost and sign * other.value >= sign * one.value
                   and (other.cost, other.value) != (one.cost, one.value) for other in places)
    names = ''.join(place.label for place in frontier(places, higher))
    assert names == expected
    assert set(names) == {place.label for place in places if not beaten(place)}


def test_labels_of_a_crowd_do_not_cover_each_other() -> None:
    names = [f'student {number}' for number in range(8)]
    svg = pareto_chart('c', [Place(name, 1, 5.0, 40 + number / 10, None) for number, name in enumerate(names)]
                       + [Place('far', 2, 50.0, 90.0, None)], 'ms', 'mIoU')
    at = {text: float(y) for y, text in re.findall(r'translate\([\d.]+ ([\d.]+)\)[^>]*>(.*?)</text>', svg)}
    at |= {text: float(y) for y, text in re.findall(r'<text[^>]* y="([\d.]+)"[^>]*>(.*?)</text>', svg)}
    heights = sorted(at[name] for name in names)
    assert min(high - low for low, high in zip(heights, heights[1:])) > 10


def test_a_chart_is_told_in_words() -> None:
    svg = described(Markup('<svg viewBox="0 0 1 1"><g/></svg>'), 'c', 'A & B', '<script>')
    assert svg == ('<svg role="img" aria-labelledby="c-title" aria-describedby="c-about" viewBox="0 0 1 1">'
                   '<title id="c-title">A &amp; B</title><desc id="c-about">&lt;script&gt;</desc><g/></svg>')


@pytest.mark.parametrize('higher', [True, False])
def test_what_gets_worse_is_pale(higher: bool) -> None:
    svg = gain_chart('c', [('cat', 2.0), ('dog', -3.0)], 1, higher)
    bars = re.findall(r'd="M ([\d.]+) [\d.]+ *\n?L ([\d.]+) [^"]*" clip-[^>]*style="fill: var\(--s[^)]*\)([^"]*)"', svg)
    lengths = {round(abs(float(right) - float(left))): 'opacity' in style for left, right, style in bars}
    short, long = sorted(lengths)
    assert long / short == pytest.approx(1.5, rel=0.05)
    assert (lengths[short], lengths[long]) == (not higher, higher)
