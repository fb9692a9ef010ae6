"""The terminal table."""

import io
import re

import pytest
from rich.console import Console

from lgd_mm.suite.schema import Machine, Results
from lgd_mm.suite.table import format_memory, format_row_time, format_seconds, notes, results_table
from tests.test_suite.made_up import cell, metric, results, row

TASKS = {'probe': [metric('top-1'), metric('error', better='lower')], 'UPerNet': [metric('mIoU')]}


def two(first: dict, second: dict, **others: object) -> Results:
    """Two entries on the first task."""
    return results(TASKS, ['A', 'B'], [cell('A', 'probe', first, **others), cell('B', 'probe', second, **others)])


@pytest.fixture
def mixed() -> Results:
    both = {'top-1': (31.25, 0.5), 'error': (4.0, 0.5)}
    return results(TASKS, ['random [bold]weights', 'LGD', 'SEED'], [
        cell('random [bold]weights', 'probe', both),
        cell('LGD', 'pre-training'),
        cell('LGD', 'probe', both | {'top-1': (40.0, 0.5)}),
        cell('LGD', 'UPerNet', {'mIoU': (28.0, 1.0)}, state='failed', seeds=(0, ), error='it broke'),
        cell('SEED', 'probe', state='not run', seeds=()),
        cell('SEED', 'UPerNet', {'mIoU': (28.0, 1.0)}),
    ])


def render(made: Results, width: int = 100) -> tuple[str, str]:
    console = Console(width=width, record=True, force_terminal=True, color_system='standard', file=io.StringIO())
    console.print(results_table(made))
    return console.export_text(clear=False), console.export_text(styles=True)


def rows(plain: str) -> list[list[str]]:
    return [[part.strip() for part in line.split('│')[1:-1]] for line in plain.splitlines() if line.startswith('│')]


def test_table_of_figures_gaps_and_times(mixed: Results) -> None:
    plain, styled = render(mixed)
    assert rows(plain) == [
        ['random [bold]weights', '31.2 ± 0.5', '4.0 ± 0.5', '–', '1 min 00 s'],
        ['LGD', '40.0 ± 0.5', '4.0 ± 0.5', 'failed', '3 min 00 s'],
        ['SEED', '…', '…', '28.0 ± 1.0', '1 min 00 s'],
    ]
    assert 'error ↓' in plain and 'n = 3 seeds (0, 1, 2)' in plain
    assert '2 min 34 s in total on x86_64, 2 CPU threads, 2026-01-02.' in plain
    assert re.findall(r'\x1b\[1m *([\d.]+)', styled) == ['40.0']


def test_what_was_not_chosen_is_not_impossible(mixed: Results) -> None:
    mixed.entries.append(row('SimCLR', ['UPerNet']))
    mixed.cells.append(cell('SimCLR', 'pre-training'))
    assert rows(render(mixed)[0])[-1][:4] == ['SimCLR', '…', '…', '–']


def test_many_metrics_go_on_in_another_table() -> None:
    tasks = {f'task {index}': [metric(f'mIoU {index}')] for index in range(7)}
    labels = ['random weights', 'SEED, SimCLR teacher']
    made = results(tasks, labels, [cell(label, f'task {index}', {f'mIoU {index}': (10.0 + index, 0.5)})
                                   for label in labels for index in range(7)])
    plain, _ = render(made)
    assert [row[1:] for row in rows(plain)] == [
        *2 * [[f'1{index}.0 ± 0.5' for index in range(5)]], *2 * [['15.0 ± 0.5', '16.0 ± 0.5', '7 min 00 s']]]
    assert max(map(len, plain.splitlines())) <= 100


def test_a_narrow_terminal_loses_no_figure(mixed: Results) -> None:
    plain, _ = render(mixed, width=60)
    for figure in ('random', '31.2', '40.0', '28.0', 'failed', '3 min'):
        assert figure in plain


def test_one_seed_marks_nothing_and_says_so() -> None:
    made = two({'top-1': (20.0, None), 'error': (1.0, None)}, {'top-1': (24.0, None), 'error': (1.0, None)},
               seeds=(4, ))
    plain, styled = render(made)
    assert 'n = 1 (seed 4), so the standard deviation is unknown' in plain
    assert rows(plain)[1][1] == '24.0'
    assert not re.findall(r'\x1b\[1m *[\d.]+', styled)


def test_notes_tell_the_seeds_of_all_cells() -> None:
    figures = {'top-1': (20.0, None), 'error': (1.0, None)}
    made = results(TASKS, ['A', 'B'], [cell(label, 'probe', figures, seeds=(n, )) for n, label in enumerate('AB')])
    assert 'n = 1 (of seeds 0, 1), so' in notes(made)[0]
    for one, seeds in zip(made.cells, ([0, 1], [1, 2])):
        one.n, one.seeds = 2, seeds
    assert 'n = 2 seeds (of 0, 1, 2);' in notes(made)[0]


def test_notes_tell_unequal_counts_of_seeds(mixed: Results) -> None:
    mixed.cells.append(cell('random [bold]weights', 'UPerNet', {'mIoU': (20.0, None)}, seeds=(0, )))
    assert 'n = 1 to 3 seeds;' in notes(mixed)[0]


def test_nothing_measured_is_a_table_of_dots() -> None:
    made = results(TASKS, ['A'], [cell('A', 'probe', state='not run', seeds=())], machine=Machine(), versions={},
                   seconds=0)
    plain, _ = render(made)
    assert rows(plain) == [['A', '…', '…', '–', '…']]
    assert 'Nothing has been measured yet.' in plain


def test_time_of_a_row_is_that_of_its_cells(mixed: Results) -> None:
    assert format_row_time(mixed, 'LGD') == '3 min 00 s'
    assert format_row_time(mixed, 'SEED') == '1 min 00 s'


@pytest.mark.parametrize('seconds, text', [(0.44, '0.4 s'), (9.96, '10 s'), (59.4, '59 s'), (59.6, '1 min 00 s'),
                                           (185, '3 min 05 s'), (3599.6, '1 h 00 min'), (3725, '1 h 02 min')])
def test_seconds(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text


@pytest.mark.parametrize('size, of, text', [(812, 'process', '812 MiB (process)'), (2560, 'GPU', '2.5 GiB (GPU)'),
                                            (None, None, '–')])
def test_memory(size: float | None, of: str | None, text: str) -> None:
    assert format_memory(cell('A', 'probe', peak_memory_mb=size, memory_of=of)) == text
