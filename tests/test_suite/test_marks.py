"""Which figures are marked, and how students differ from a reference."""

import numpy as np
import pytest
from scipy import stats

from lgd_mm.statistics.differences import Estimate
from lgd_mm.suite.figures import columns
from lgd_mm.suite.marks import differences, leaders, rows
from lgd_mm.suite.schema import Figure, ImageSet, Results
from tests.test_suite.made_up import cell, metric, results

COLUMN = {'probe': [metric('top-1')]}


def table(figures: dict[str, list[float]], seeds: tuple[int, ...] = (0, 1, 2), better: str = 'higher') -> Results:
    """One column; the values of each entry's seeds."""
    cells = []
    for label, values in figures.items():
        cells.append(cell(label, 'probe', seeds=seeds[:len(values)]))
        cells[-1].metrics['top-1'] = Figure(float(np.mean(values)), None, values)
    return results({'probe': [metric('top-1', better=better)]}, list(figures), cells)


def lead(made: Results) -> str | None:
    return leaders(made)['probe', 'top-1']


def test_the_best_leads_when_it_differs_from_each() -> None:
    figures = {'A': [20.0, 20.5, 19.0], 'B': [40.0, 41.0, 40.5], 'C': [30.0, 31.5, 29.5]}
    assert lead(table(figures)) == 'B'
    assert lead(table({**figures, 'D': [40.0, 40.5, 41.2]})) is None


@pytest.mark.parametrize('b, leader', [([44.0, 47.0, 45.5], 'B'), ([22.0, 21.0, 20.7], None)])
def test_two_students_are_marked_by_the_paired_t_test(b, leader) -> None:
    a = [20.0, 20.5, 21.5]
    assert (stats.ttest_rel(a, b).pvalue < 0.05) == (leader is not None)
    assert lead(table({'A': a, 'B': b})) == leader


def test_less_may_be_better() -> None:
    figures = {'A': [2.0, 2.5, 2.2], 'B': [9.0, 9.2, 9.9]}
    assert lead(table(figures, better='lower')) == 'A' and lead(table(figures)) == 'B'


@pytest.mark.parametrize('figures', [
    {'A': [20.0, 20.5, 19.0]}, {'A': [20.0], 'B': [99.0]}, {'A': [20.0, 20.5], 'B': [99.0]},
    {'A': [20.0, 20.5, 19.0], 'B': [99.0], 'C': [40.0, 41.0, 40.5]},
])
def test_a_lone_figure_or_one_seed_marks_nothing(figures) -> None:
    assert lead(table(figures)) is None


def test_many_columns_ask_for_more() -> None:
    """Of one column this difference is marked, not of five."""
    a, b = [20.0, 20.5, 21.5], [24.0, 26.0, 25.0]
    p = stats.ttest_rel(a, b).pvalue
    assert 0.01 < p < 0.05
    tasks = {f'task {number}': [metric('top-1')] for number in range(5)}
    cells = [cell(label, task) for label in 'AB' for task in tasks]
    for made in cells:
        values = (a if made.entry == 'A' else b) if made.task == 'task 0' else [30.0, 31.0, 32.0 + (made.entry == 'A')]
        made.metrics['top-1'] = Figure(float(np.mean(values)), None, values)
    assert not any(leaders(results(tasks, ['A', 'B'], cells)).values())
    assert lead(table({'A': a, 'B': b})) == 'B'


def test_an_unfinished_or_failed_cell_does_not_count() -> None:
    made = table({'A': [20.0, 20.5, 19.0], 'B': [40.0, 41.0, 40.5], 'C': [60.0, 61.0, 60.2]})
    made.cells[2].state = 'failed'
    assert lead(made) == 'B'


def with_images(made: Results, images: dict[str, str]) -> Results:
    rng = np.random.default_rng(0)
    for one in made.cells:
        figure = one.metrics['top-1']
        figure.draws = (np.array(figure.values)[:, None] + rng.normal(scale=6, size=(one.n, 200))).tolist()
        one.tested = ImageSet(800, images[one.entry])
    return made


def test_few_test_images_take_a_mark_away() -> None:
    made = table({'A': [20.0, 20.5, 19.0], 'B': [27.0, 27.8, 26.5]})
    assert lead(made) == 'B'
    assert lead(with_images(made, dict(A='same', B='same'))) is None


def test_students_measured_on_different_images_are_not_compared() -> None:
    made = with_images(table({'A': [20.0, 20.5, 19.0], 'B': [67.0, 67.8, 66.5]}), dict(A='one', B='other'))
    assert all(row.draws is None for row in rows(made, columns(made)[0]).values())
    assert lead(made) is None and differences(made, 'A') == []
    made.cells[1].tested = None  # of before: not known to be others
    assert lead(made) == 'B' and differences(made, 'A')[0].significant


def test_one_table_in_twenty_has_a_false_mark_also_where_students_vary_unlike_each_other(monkeypatch) -> None:
    """Students without a true difference, of which the reference varies most."""
    monkeypatch.setattr(Estimate, 'margin', 1.0)  # which takes the longest
    rng = np.random.default_rng(0)
    false = np.zeros(2)
    for _ in range(300):
        made = table({label: rng.normal(50, 5 if label == 'A' else 1, 3).tolist() for label in 'ABCDEF'})
        false += lead(made) is not None, any(one.significant for one in differences(made, 'A'))
    assert (false <= 22).all()  # 15 and two deviations; with a variance of the whole column, 35 tables


def test_differences_from_a_reference() -> None:
    figures = {'A': [20.0, 20.5, 19.0], 'B': [40.0, 41.0, 40.5], 'C': [20.2, 20.1, 19.5]}
    found = differences(table(figures), 'A')
    assert [(one.label, one.reference) for one in found] == [('B', 'A'), ('C', 'A')]
    assert [one.mean for one in found] == pytest.approx([20.6666667, 0.1])
    assert [one.significant for one in found] == [True, False]
    assert found[0].low < 20.67 < found[0].high and found[1].low < 0 < found[1].high
    assert found[0].adjusted == pytest.approx(2 * found[0].p) and found[1].adjusted == pytest.approx(found[1].p)
    single = differences(table({'A': [20.0], 'B': [25.0]}), 'A')[0]
    assert (single.mean, single.low, single.p, single.significant) == (5.0, None, None, False)
