"""Schedules that fit a budget, by hand on small numbers."""

import pytest

from lgd_mm.comparison.budget import PRETRAINING, Budget, Part

#: Two methods to pre-train, 10 s a pass and 20 s beside; three rows to detect with, 5 s a pass and 30 s beside.
PARTS = [Part(PRETRAINING, 'pre-training', 2, 10.0, 20.0, 1, 100, 50),
         Part('detection', 'detection', 3, 5.0, 30.0, 2, 40, 25)]
BUDGET = Budget(PARTS, 1, 60.0)


def test_what_everything_takes():
    """2 x (20 + 10 E) + 3 x (30 + 5 F), for each seed, and 60 for the report."""
    assert BUDGET.seconds({PRETRAINING: 3, 'detection': 4}, 2) == 60 + 2 * (2 * 50 + 3 * 50)
    assert BUDGET.floors == {PRETRAINING: 1, 'detection': 2}
    assert BUDGET.full == {PRETRAINING: 100, 'detection': 40}


def test_two_at_a_time_may_end_one_after_the_other():
    """Half of the work each, and half of the longest run."""
    two = BUDGET._replace(jobs=2)
    assert two.seconds({PRETRAINING: 3, 'detection': 4}, 1) == 60 + 250 / 2 + 50 / 2


def test_a_large_budget_leaves_the_schedules_whole():
    chosen = BUDGET.choose(1e6, 3)
    assert (chosen.seeds, chosen.epochs) == (3, BUDGET.full)
    assert chosen.seconds == 60 + 3 * (2 * 1020 + 3 * 230)


def test_half_of_what_is_left_goes_to_the_tasks():
    """One seed: the fewest epochs take 60 + 60 + 120 = 240 s. Of 600 s more, 300 s are 20 epochs more of detection; the
    rest is 15 of pre-training."""
    chosen = BUDGET.choose(840, 1)
    assert chosen.epochs == {PRETRAINING: 16, 'detection': 22}
    assert chosen.seconds == pytest.approx(60 + 2 * 180 + 3 * 140) == 840


def test_what_one_does_not_need_goes_to_the_other():
    """Detection is whole with 38 epochs more, 570 s; pre-training with 99 more, 1,980 s."""
    assert BUDGET.choose(240 + 2000, 1).epochs == {PRETRAINING: 1 + (2000 - 570) // 20, 'detection': 40}
    short = Budget([PARTS[0]._replace(full=2), PARTS[1]], 1, 60.0)
    assert short.choose(240 + 320, 1).epochs == {PRETRAINING: 2, 'detection': 2 + (320 - 20) // 15}


def test_seeds_go_only_when_the_fewest_epochs_do_not_fit():
    """Each takes 180 s."""
    assert [BUDGET.choose(60 + 180 * n, 3).seeds for n in (1, 2, 3, 4)] == [1, 2, 3, 3]
    assert BUDGET.choose(60 + 3 * 180 - 1, 3).seeds == 2
    assert BUDGET.choose(239, 3) is None


@pytest.mark.parametrize('seconds', range(240, 5000, 331))
def test_nothing_chosen_exceeds_the_budget(seconds):
    chosen = BUDGET.choose(seconds, 3)
    assert chosen.seconds <= seconds
    assert all(BUDGET.floors[name] <= count <= BUDGET.full[name] for name, count in chosen.epochs.items())
    assert chosen.seconds == BUDGET.seconds(chosen.epochs, chosen.seeds)


def test_students_share_their_epochs():
    """Of two that are not alike, the floor of the one with fewer steps holds for both."""
    other = PARTS[0]._replace(floor=4, epoch=1.0)
    assert Budget([PARTS[0], other], 1, 0.0).floors == {PRETRAINING: 4}
