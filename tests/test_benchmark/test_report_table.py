"""The terminal table and the rule that marks a figure."""

import io

import pytest
from rich.console import Console

from lgd_mm.benchmark.table import METRICS, format_seconds, leaders, results_table, row_seconds

KEYS = tuple(METRICS)


def make_results(means: list[list[float | None]], spreads: list[list[float | None]], seeds: int = 3) -> dict:
    rows = [
        dict(label=label, metrics=dict(zip(KEYS, mean)), spread=dict(zip(KEYS, spread)), per_seed=[])
        for label, mean, spread in zip(('random [bold]weights', 'LGD student'), means, spreads)
    ]
    stages = [dict(name='world', label='', seed=0, seconds=9.0)]
    for row in rows:
        stages += [dict(name='upernet', label=row['label'], seed=seed, seconds=50.0) for seed in range(seeds)]
    stages.append(dict(name='pretrain', label='LGD student', seed=0, seconds=30.0 * seeds))
    return dict(rows=rows, stages=stages, seeds=list(range(seeds)), seconds=500.0,
                machine=dict(gpu=None, processor='x86_64', threads=2))


THREE = make_results([[None, 20.0, 20.0, 31.0], [80.0, 24.0, 21.0, 25.0]],
                     [[None, 1.5, 0.5, 2.0], [1.0, 1.5, 0.5, 2.0]])
ONE = make_results([[None, 20.0, 20.0, 31.0], [80.0, 24.0, 21.0, 25.0]], [[None] * 4, [None] * 4], seeds=1)


def test_leader_is_ahead_by_more_than_both_spreads() -> None:
    assert leaders(THREE) == {
        'zero_shot/top1': None,  # nothing to compare with
        'coco/bbox_mAP': 1,  # 4.0 ahead, spreads 3.0 together
        'coco/segm_mAP': None,  # 1.0 ahead, spreads 1.0 together
        'ade20k/mIoU': 0,
    }


def test_one_seed_has_no_leader() -> None:
    assert set(leaders(ONE).values()) == {None}


def render(results: dict) -> tuple[str, str]:
    console = Console(width=120, record=True, force_terminal=True, color_system='standard', file=io.StringIO())
    console.print(results_table(results))
    return console.export_text(clear=False), console.export_text(styles=True)


def test_table_of_three_seeds() -> None:
    plain, styled = render(THREE)
    random, student = (line.split('│') for line in plain.splitlines() if line.startswith('│'))
    assert [cell.strip() for cell in random[1:-1]] == [
        'random [bold]weights', '–', '20.0 ± 1.5', '20.0 ± 0.5', '31.0 ± 2.0', '50 s'
    ]
    assert [cell.strip() for cell in student[1:-1]] == [
        'LGD student', '80.0 ± 1.0', '24.0 ± 1.5', '21.0 ± 0.5', '25.0 ± 2.0', '1 min 20 s'
    ]
    assert 'n = 3 seeds' in plain and '8 min 20 s in total on x86_64, 2 CPU threads.' in plain
    assert '\x1b[1m24.0 ± 1.5' in styled and '\x1b[1m31.0 ± 2.0' in styled
    assert '\x1b[1m21.0' not in styled and '\x1b[1m80.0' not in styled


def test_table_of_one_seed_marks_nothing_and_says_so() -> None:
    plain, styled = render(ONE)
    assert 'n = 1 (seed 0), so the spread is unknown' in plain
    assert '±' not in plain
    assert '\x1b[1m24.0' not in styled


def test_seconds_of_a_row_are_per_seed() -> None:
    assert row_seconds(THREE, 'LGD student') == 80.0
    assert row_seconds(THREE, 'random [bold]weights') == 50.0


@pytest.mark.parametrize('seconds, text', [(0.44, '0.4 s'), (9.96, '10 s'), (59.4, '59 s'), (59.6, '1 min 00 s'),
                                           (185, '3 min 05 s'), (3599.6, '1 h 00 min'), (3725, '1 h 02 min')])
def test_seconds(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
