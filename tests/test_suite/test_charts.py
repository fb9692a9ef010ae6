"""Charts as parts of a page, and the curves of a suite."""

import re
from pathlib import Path

import pytest

from lgd_mm.report.charts import INK, SERIES, Bar, Curve, bar_chart, curve_chart
from lgd_mm.suite import curves
from lgd_mm.suite.curves import cells_without_work_dirs, training_charts
from tests.test_suite.made_up import cell, metric, results, write_scalars


def test_charts_take_the_colours_of_the_page() -> None:
    lines = [Curve(1, [1, 2], [3, 4]), Curve(1, [1, 2], [4, 5]), Curve(12, [1, 2], [5, 6])]
    svg = curve_chart('c', lines, 'iteration')
    assert svg.startswith('<svg') and 'viewBox' in svg
    assert svg.count('stroke: var(--series-1)') == 2
    assert svg.count('stroke: var(--series-2)') == 1  # the eleventh entry is the first colour again
    assert not any(colour in svg for colour in (INK, *SERIES))
    assert svg == curve_chart('c', lines, 'iteration')


def lengths(svg: str) -> dict[str, float]:
    """Width of each bar by its colour."""
    bars = re.findall(r'd="M ([\d.]+) [\d.]+ *\n?L ([\d.]+) [^"]*" clip-path[^>]*style="fill: var\((.*?)\)', svg)
    return {colour: float(right) - float(left) for left, right, colour in bars}


def test_bars_are_as_long_as_their_figures() -> None:
    svg = bar_chart('b', [
        Bar('A <b>', 10.0, 1.0, (9.0, 10.0, 11.0), ''), Bar('B', None, None, (), 'failed'),
        Bar('C', 30.0, None, (30.0, ), '')])
    found = lengths(svg)
    assert set(found) == {'--series-0', '--series-2'}
    assert found['--series-2'] / found['--series-0'] == pytest.approx(3, rel=1e-3)
    texts = re.findall('<text[^>]*>(.*?)</text>', svg)
    assert {'A &lt;b&gt;', 'B', 'C', '10.0', 'failed', '30.0'} <= set(texts)
    assert svg.count('<use') == 3 + 2  # dots of the seeds and caps of the one error bar


def test_a_label_is_no_formula_and_has_two_lines_at_most() -> None:
    svg = bar_chart('b', [Bar('$x^2$', 1.0, None, (1.0, ), ''), Bar('one two three four ' * 4, 1.0, None, (1.0, ), '')])
    assert '$x^2$' in svg
    assert '…' in svg


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple]:
    """Curves and axis of each chart, by its name."""
    charts: dict[str, tuple] = {}
    monkeypatch.setattr(curves, 'curve_chart', lambda name, lines, x_label, markers=False: charts.update(
        {name: (lines, x_label)}) or name)
    return charts


def run(folder: Path, entry: str, task: str, seed: int, factor: float, **evaluations: float) -> None:
    write_scalars(folder / f'{entry}/seed{seed}/{task}', [
        dict(loss=4 * factor, step=10, iter=10, epoch=1), dict(loss=2 * factor, step=20, iter=20, epoch=2),
        dict(AP=0.125 * factor, step=1), dict(AP=0.25 * factor, step=2)])


def test_one_line_an_entry_is_the_mean_over_seeds(tmp_path: Path, drawn: dict) -> None:
    for seed, factor in ((0, 1.0), (1, 2.0)):
        run(tmp_path, 'LGD', 'pre-training', seed, 10 * factor)
        run(tmp_path, 'LGD', 'detection', seed, factor)
    run(tmp_path, 'random', 'detection', 0, 1.0)
    tasks = {'detection': [metric('AP', scale=100), metric('AR')], 'probe': [metric('top-1')]}
    made = results(tasks, ['random', 'LGD'], [
        cell('random', 'detection', seeds=(0, ), folder=tmp_path),
        cell('LGD', 'pre-training', seeds=(0, 1), folder=tmp_path),
        cell('LGD', 'detection', seeds=(0, 1), folder=tmp_path),
        cell('LGD', 'probe', seeds=(0, 1), folder=tmp_path),
    ])

    charts = training_charts(made)
    assert charts.pretraining == [('LGD', 'pretraining-1')]
    assert [title for title, _ in charts.tasks] == ['detection: loss', 'detection: AP']
    assert drawn == {
        'pretraining-1': ([Curve(1, (10, 20), (60.0, 30.0))], 'iteration'),
        'loss-0': ([Curve(0, (10, 20), (4.0, 2.0)), Curve(1, (10, 20), (6.0, 3.0))], 'iteration'),
        'metric-0-0': ([Curve(0, (1, 2), (12.5, 25.0)), Curve(1, (1, 2), (18.75, 37.5))], 'epoch'),
    }
    assert cells_without_work_dirs(made) == ['LGD, probe']


def test_a_metric_measured_once_has_no_curve(tmp_path: Path, drawn: dict) -> None:
    write_scalars(tmp_path / 'A/seed0/UPerNet', [dict(loss=1.0, step=10, iter=10), dict(mIoU=30.0, step=300)])
    made = results({'UPerNet': [metric('mIoU')]}, ['A'], [cell('A', 'UPerNet', seeds=(0, ), folder=tmp_path)])
    assert [title for title, _ in training_charts(made).tasks] == ['UPerNet: loss']
