"""What the test images say, from a run's folder to the cell of a table."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lgd_mm.statistics.files import KeptResults, write
from lgd_mm.statistics.image_results import Areas, RightOrWrong, drawn
from lgd_mm.suite.definition import Entry, Suite, Task
from lgd_mm.suite.files import read_record
from lgd_mm.suite.images import RECORD, with_images
from lgd_mm.suite.results import collect
from lgd_mm.suite.run import Run
from lgd_mm.suite.schema import DRAWS, Machine, Metric, Record, Results


def finished(folder: Path, intersection: list[list[int]], union: list[list[int]], miou: float) -> Record:
    """A run on four images."""
    folder.mkdir(parents=True)
    right = RightOrWrong(np.array([True, True, False, True]), np.array([0, 1, 1, 0]), 3)
    metrics = {'mIoU': Areas(np.array(intersection), np.array(union)), 'top1': right}
    write(KeptResults(['a', 'b', 'c', 'd'], ['sky', 'sea', 'land'], metrics), folder / 'image_results.npz')
    return Record('hash', 'E', 'seg', 0, 'tools/train.py', str(folder), {'mIoU': miou, 'top1': 0.75}, 1.0, None, None,
                  None, {}, Machine())


@pytest.fixture
def records(tmp_path: Path) -> list[Record]:
    """Of two seeds. No image has land, and the first seed alone takes a pixel for it."""
    union = [[4, 2, 0], [4, 2, 1], [2, 2, 0], [4, 4, 0]]
    return [finished(tmp_path / '0', [[2, 1, 0], [4, 2, 0], [1, 0, 0], [3, 4, 0]], union, 47.14),
            finished(tmp_path / '1', [[4, 2, 0], [4, 1, 0], [2, 2, 0], [4, 3, 0]],
                     [row[:2] + [0] for row in union], 90.0)]


def test_a_record_is_given_what_its_images_say_once(records: list[Record], tmp_path: Path) -> None:
    found = with_images(records[0], tmp_path / '0')
    assert found.tested and found.tested.images == 4 and read_record(tmp_path / '0' / RECORD) == found
    assert found.classes == {'mIoU': {'sky': 71.429, 'sea': 70.0, 'land': 0.0},
                             'top1': {'sky': 100.0, 'sea': 50.0}}  # 10 / 14, 7 / 10; no image is labelled land
    assert found.draws['top1'] == pytest.approx(100 * drawn(4, DRAWS) @ [1, 1, 0, 1] / 4, abs=1e-3)
    assert with_images(found, tmp_path / '1') is found
    lone = replace(records[0], work_dir='')
    assert with_images(lone, tmp_path) is lone


def test_a_file_of_another_run_is_not_taken(records: list[Record], tmp_path: Path, capsys) -> None:
    other = replace(records[0], metrics={'mIoU': 46.9, 'top1': 0.75})
    found = with_images(other, tmp_path / '0')
    assert set(found.draws) == {'top1'} and 'mIoU goes without what single images say' in capsys.readouterr().out


def test_a_class_without_objects_that_only_one_seed_finds_is_left_out_of_the_cell(
        records: list[Record], tmp_path: Path) -> None:
    assert set(with_images(records[1], tmp_path / '1').classes['mIoU']) == {'sky', 'sea'}
    metric = Metric('mIoU', 'mIoU', 1, 'higher')
    suite = Suite('s', 's', '', tmp_path, (0, 1), (Entry('E'), ), (Task('seg', Path('c.py'), (metric, )), ))
    runs = [Run('E', 'seg', seed, Path('c.py'), tmp_path / str(seed)) for seed in (0, 1)]
    done = {run: with_images(record, run.work_dir) for run, record in zip(runs, records)}
    [cell] = collect(suite, runs, done, {}, 'command').cells
    figure = cell.metrics['mIoU']
    assert figure and figure.classes == {'sky': [71.429, 100.0], 'sea': [70.0, 80.0]} and len(figure.draws) == 2
    assert isinstance(collect(suite, runs[:1], done, {}, 'command'), Results)
