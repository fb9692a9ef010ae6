"""What a run logged, however often it was resumed."""

import re
from pathlib import Path

import pytest

from lgd_mm.errors import UserError
from lgd_mm.runs.history import read_history
from lgd_mm.runs.measures import last_metrics
from tests.test_suite.made_up import write_scalars


def train(step: int, loss: float) -> dict:
    return dict(loss=loss, step=step, iter=step)


def test_resumed_run_is_one_history(tmp_path: Path) -> None:
    write_scalars(tmp_path, [
        train(10, 5.0), train(20, 4.0), {'mIoU': 1.0, 'step': 20}, train(30, 3.0), {'mIoU': 2.0, 'step': 30}
    ], cut_off='{"loss": 2.9')  # killed while writing
    write_scalars(tmp_path, [train(25, 3.5), {'mIoU': 3.0, 'step': 25}, train(35, 2.5)], start='20260101_000100')
    history = read_history(tmp_path)
    assert [(record['step'], record['loss']) for record in history.training] == [(10, 5.0), (20, 4.0), (25, 3.5),
                                                                                 (35, 2.5)]
    assert [(record['step'], record['mIoU']) for record in history.evaluations] == [(20, 1.0), (25, 3.0)]


def test_parts_are_joined_in_the_order_of_time(tmp_path: Path) -> None:
    write_scalars(tmp_path, [train(10, 1.0)], start='20260102_000000')
    write_scalars(tmp_path, [train(10, 5.0), train(20, 4.0)], start='20260101_000000')
    assert [record['loss'] for record in read_history(tmp_path).training] == [1.0]


def test_nothing_logged_is_an_empty_history(tmp_path: Path) -> None:
    assert read_history(tmp_path / 'missing') == ([], [])


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    file = write_scalars(tmp_path, [train(60, 0.1)], cut_off='{"loss": \n{}\n')
    with pytest.raises(UserError, match=re.escape(f'{file}, line 2 is not JSON')):
        read_history(tmp_path)


def test_every_figure_of_an_evaluation_is_a_metric(tmp_path: Path) -> None:
    write_scalars(tmp_path, [dict(loss=1.0, step=1, iter=1),
                             {'PQ': 31.5, 'coco/bbox_mAP': 0.25, 'step': 2, 'time': 0.5, 'data_time': 0.25}])
    test = tmp_path / '20260102_000000/20260102_000000.json'
    test.parent.mkdir()
    test.write_text('{"mIoU": 40.0, "best": "epoch_1.pth", "data_time": 0.5, "time": 1.0}')
    assert last_metrics(tmp_path) == {'PQ': 31.5, 'coco/bbox_mAP': 0.25, 'mIoU': 40.0}
