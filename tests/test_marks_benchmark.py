"""The tables from which benchmarks/marks.py learns how often the rule of the marks is wrong."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from lgd_mm.statistics.differences import Row
from lgd_mm.suite.figures import Column
from lgd_mm.suite.schema import DRAWS

FILE = Path(__file__).parents[1] / 'benchmarks/marks.py'


@pytest.fixture(scope='module')
def marks():
    spec = importlib.util.spec_from_file_location('marks_benchmark', FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def real(marks):
    """Two students, of which the second varies five times as the first, over seeds and over images."""
    rng = np.random.default_rng(0)
    rows = {}
    for label, mean, spread in (('quiet', 40.0, 1.0), ('wild', 60.0, 5.0)):
        values = mean + spread * np.array([-1.0, 0.0, 1.0])
        rows[label] = Row((0, 1, 2), values, values[:, None] + spread * rng.standard_normal(DRAWS) + 3)
    return marks.Real(Column('task', 'key', 'title', 'higher', 1), rows)


def test_made_up_students_vary_as_the_real_ones_over_seeds_and_images(marks, real) -> None:
    generator = np.random.default_rng(1)
    columns = [marks.drawn(real, ['quiet', 'wild', 'wild'], 3, generator, 50.0) for _ in range(2000)]
    for label, spread in (('0 quiet', 1.0), ('2 wild', 5.0)):
        values = np.array([column[label].values for column in columns])
        assert values.mean() == pytest.approx(50, abs=0.2 * spread)
        assert values.std() == pytest.approx(np.sqrt(2) * spread, rel=0.1)  # seeds and test set alike
        assert values.std(axis=1, ddof=1).mean() < 1.1 * spread  # all seeds are tested on one set
        assert columns[0][label].draws.std(axis=1) == pytest.approx(spread, rel=0.2)
    assert marks.drawn(real, ['wild'], 500, generator)['0 wild'].values.mean() > 40  # its own mean


def test_no_more_than_one_table_in_twenty_is_wrong_where_students_are_unlike(marks, real) -> None:
    generator = np.random.default_rng(0)
    wrong = np.zeros(2)
    for _ in range(300):
        table = [marks.without_difference(real, 4, 3, False, generator)]
        wrong += marks.this_rule(table), marks.any_difference(table)
    assert (wrong <= 22).all()  # 15 and two deviations
    assert len(marks.without_difference(real, 4, 3, True, generator)) == 4
