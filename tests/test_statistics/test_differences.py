"""The rule of differences, against textbooks' formulas and simulations."""

import numpy as np
import pytest
from scipy import stats

from lgd_mm.statistics.differences import Estimate, Row, estimate, holm


def row(*values: float, seeds: tuple[int, ...] | None = None, draws: np.ndarray | None = None) -> Row:
    return Row(seeds or tuple(range(len(values))), np.array(values), draws)


def test_two_students_with_the_same_seeds_are_compared_by_the_paired_t_test() -> None:
    a, b = row(61.0, 66.5, 64.0, 65.5), row(52.0, 50.5, 56.0, 54.0)
    found = estimate(a, b, [a, b])
    expected = stats.ttest_rel(a.values, b.values)
    assert found.mean == pytest.approx(11.125)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6)
    low, high = expected.confidence_interval(0.95)
    assert (found.mean - found.margin, found.mean + found.margin) == pytest.approx((low, high), rel=1e-6)


def test_variance_is_pooled_over_the_column_as_in_randomised_blocks() -> None:
    rng = np.random.default_rng(3)
    column = [row(*values) for values in rng.normal(size=(4, 3))]
    values = np.stack([one.values for one in column])
    residuals = values - values.mean(0) - values.mean(1, keepdims=True) + values.mean()
    pooled = (residuals**2).sum() / 6
    found = [estimate(a, b, column) for a in column for b in column if a is not b]
    own = [(a.values - b.values).var(ddof=1) / 2 for a in column for b in column if a is not b]
    assert [one.by_seeds**2 for one in found] == pytest.approx([2 * max(pooled, mine) / 3 for mine in own])
    assert {one.freedom for one in found} == {6}


def test_only_shared_seeds_are_compared_and_others_pool_the_variance_if_they_have_them() -> None:
    a, b = row(1.0, 5.0, 3.0, seeds=(0, 1, 2)), row(9.0, 2.0, 4.0, seeds=(5, 2, 1))
    alone, other = row(7.0, 7.0, seeds=(8, 9)), row(0.0, 0.5, seeds=(1, 2))
    found = estimate(a, b, [a, b, alone, other])
    assert found.mean == pytest.approx(np.mean([5.0, 3.0]) - np.mean([4.0, 2.0]))
    assert found.freedom == 2  # three students, two seeds


def test_students_with_other_seeds_have_welchs_error_and_the_freedom_of_the_fewer() -> None:
    a, b = row(41.0, 46.0, 44.0, 43.0, seeds=(5, 6, 7, 8)), row(34.0, 25.0, 31.0, seeds=(0, 1, 2))
    expected = stats.ttest_ind(a.values, b.values, equal_var=False)
    found = estimate(a, b, [a, b])
    assert found.mean / found.by_seeds == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(2 * stats.t.sf(expected.statistic, 2), rel=1e-6) and found.freedom == 2


@pytest.mark.parametrize('seeds, spreads', [((2, 5), (3.0, 1.0)), ((3, 5), (3.0, 1.0)), ((2, 5), (1.0, 1.0))])
def test_the_level_holds_for_other_and_few_seeds(seeds, spreads) -> None:
    rng = np.random.default_rng(0)
    false = 0
    for _ in range(1000):
        a, b = (row(*rng.normal(scale=spread, size=count), seeds=tuple(range(10 * count, 11 * count)))
                for count, spread in zip(seeds, spreads))
        false += estimate(a, b, [a, b]).p < 0.05
    assert false <= 64  # 50 and two deviations; Welch's degrees of freedom give 70 to 90


@pytest.mark.parametrize('a, b', [((1.0, ), (2.0, )), ((1.0, 2.0), (3.0, )), ((1.0, 1.0), (2.0, 2.0))])
def test_one_seed_or_no_variation_tells_nothing(a, b) -> None:
    assert estimate(row(*a), row(*b), [row(*a), row(*b)]) is None


def test_images_are_paired_and_add_their_variance() -> None:
    rng = np.random.default_rng(0)
    easy = rng.normal(scale=3, size=200)  # what all students find easy
    a = row(60.0, 62.0, 61.0, draws=61 + easy + rng.normal(scale=1, size=(3, 200)))
    b = row(50.0, 51.0, 53.0, draws=50 + easy + rng.normal(scale=1, size=(3, 200)))
    found = estimate(a, b, [a, b])
    assert found.by_images == pytest.approx((a.draws.mean(0) - b.draws.mean(0)).std(ddof=1))
    assert 0.6 < found.by_images < 1.0  # sqrt(2 / 3), and nothing of the 3 that they share
    assert found.p > estimate(a._replace(draws=None), b, [a, b]).p


def test_p_is_that_of_a_t_and_a_normal_together() -> None:
    found = Estimate(mean=4.0, by_seeds=1.2, freedom=3, by_images=0.9)
    rng = np.random.default_rng(1)
    simulated = 1.2 * rng.standard_t(3, size=2_000_000) + 0.9 * rng.standard_normal(2_000_000)
    assert found.p == pytest.approx((abs(simulated) > 4.0).mean(), rel=0.02)
    assert found.margin == pytest.approx(np.quantile(abs(simulated), 0.95), rel=0.01)
    assert Estimate(3.0, 0.0, 2, 1.5).p == pytest.approx(2 * stats.norm.sf(2), rel=1e-2)  # seeds that change nothing


@pytest.mark.parametrize('spreads', [(1.0, 1.0), (1.0, 3.0)])
def test_no_more_than_one_in_twenty_is_found_where_nothing_is(spreads) -> None:
    rng = np.random.default_rng(0)
    false = 0
    for _ in range(1000):
        a, b = (row(*rng.normal(scale=spread, size=3)) for spread in spreads)
        false += estimate(a, b, [a, b]).p < 0.05
    assert 25 <= false <= 68  # 50 expected, deviation 7


def test_holm() -> None:
    """Example of Holm (1979), as in R: p.adjust(c(0.01, 0.04, 0.03, 0.005), 'holm')."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.01, None, 0.04, 0.03, 0.005]) == pytest.approx([0.03, None, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
