"""Predictions are compared box for box, whatever their order, and pixel for pixel."""

import numpy as np
import pytest

from lgd_mm.deploy.check import _difference
from lgd_mm.deploy.compare import Agreement, matched, overlap

BOXES = np.array([[0, 0, 10, 10], [20, 20, 40, 30], [0, 0, 10, 10]], np.float32)
FOUND = dict(boxes=BOXES, scores=np.array([0.9, 0.5, 0.4], np.float32), labels=np.array([1, 0, 2]))


def compared(other, own=FOUND, threshold=0.05, most=3):
    agreement = Agreement()
    agreement.add('one.jpg', own, {**own, **other}, 100, threshold, most)
    return agreement


def test_overlap_by_hand():
    others = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [50, 50, 60, 60], [0, 0, 10, 20]], np.float32)
    np.testing.assert_allclose(overlap(BOXES[0], others, 0.1), [1, 1 / 3, 0, 0.5])
    point = np.zeros(4, np.float32)
    np.testing.assert_allclose(overlap(point, np.stack([point, point + 0.05, BOXES[0]]), 0.1), [1, 1, 0])


def test_order_is_nothing_and_numbers_are_kept():
    turned = {name: value[[2, 0, 1]] for name, value in FOUND.items()}
    pairs, alone = matched(FOUND, turned, 0.1)
    assert sorted(pairs) == [(0, 1), (1, 2), (2, 0)] and not alone
    moved = compared(dict(boxes=BOXES + np.float32(0.05), scores=FOUND['scores'] + np.float32(0.0005)))
    assert moved.close and (moved.corner, moved.score) == pytest.approx((0.05, 5e-4), rel=1e-2)
    assert str(moved).startswith('1 image: 3 boxes, the corners within 0.05 pixels, the scores within 0.0005')


@pytest.mark.parametrize('other, said', [
    (dict(boxes=BOXES + np.float32(0.2)), 'corners within 0.2 '),
    (dict(scores=FOUND['scores'] + np.float32(0.01)), 'scores within 0.01'),
    (dict(labels=np.array([1, 1, 2])), 'a box with the score 0.500 that only one has in one.jpg'),
    (dict(scores=np.array([0.9, np.nan, 0.4])), 'not finite'),
    ({name: value[:2] for name, value in FOUND.items()}, ''),
    ({name: value[1:] for name, value in FOUND.items()}, 'score 0.900'),
])
def test_what_is_another_prediction(other, said):
    agreement = compared(other)
    assert said in str(agreement)
    assert agreement.close == (not said)  # the last box may fall off the edge, the first may not


def test_a_box_at_the_threshold_may_be_the_ones_alone():
    own = {**FOUND, 'scores': np.array([0.9, 0.5, 0.0502], np.float32)}
    assert compared({name: value[:2] for name, value in own.items()}, own).on_the_edge == 1
    assert not compared({name: value[[0, 2]] for name, value in own.items()}, own).close


def test_a_lost_box_is_at_no_edge_where_there_are_fewer_than_are_kept():
    none = {name: value[:0] for name, value in FOUND.items()}
    one = {name: value[:1] for name, value in FOUND.items()}
    for own, other in ((one, none), (none, one), (FOUND, {name: value[:2] for name, value in FOUND.items()})):
        agreement = compared(other, own, most=100)
        assert not agreement.close and 'that only one has in one.jpg' in str(agreement)
    assert str(compared(none, none)) == '1 image: no boxes, so that none was compared'


def test_no_number_is_near_no_number():
    ones, none, endless = np.ones(3), np.full(3, np.nan), np.full(3, np.inf)
    for own, other in ((ones, none), (none, ones), (ones, endless)):
        assert _difference(own, other) == float('inf')
    agreement = Agreement()
    agreement.add('one.jpg', dict(scores=np.array([np.nan, 1])), dict(scores=np.array([0.5, 0.5])), 10, 0)
    assert not agreement.close and 'not finite' in str(agreement)


def test_pixels_are_counted():
    labels = np.zeros((40, 50), np.int64)
    other = labels.copy()
    other[0, :2] = 3
    agreement = Agreement()
    agreement.add('one.jpg', dict(labels=labels), dict(labels=other), 50, 0)
    assert (agreement.other_pixels, agreement.pixels, agreement.close) == (2, 2000, True)
    assert str(agreement) == '1 image: 2 of 2,000 pixels of another label'
    other[0, 2] = 3
    agreement.add('two.jpg', dict(labels=labels[:1]), dict(labels=other[:1]), 50, 0)
    assert not agreement.close
    wrong = Agreement()
    wrong.add('one.jpg', dict(labels=labels), dict(labels=other.T), 50, 0)
    assert not wrong.close and '(50, 40) in the place of (40, 50) pixels' in str(wrong)
