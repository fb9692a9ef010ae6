"""What is drawn over images, of any size."""

import numpy as np
import pytest

from lgd_mm.report.overlays import Instances, _Label, draw_instances, draw_names, draw_segments

COLOURS = np.array([[250, 0, 0], [0, 0, 250]], np.uint8)
CLASSES = ('disc', 'box')


def grey(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 100, np.uint8)


def one(*box: float, label: int = 0, mask: np.ndarray | None = None, score: float = 0.9) -> Instances:
    return Instances(np.array([box], float), np.array([label]), None if mask is None else mask[None],
                     np.array([score]))


def test_masks_cover_half_and_have_a_contour():
    mask = np.zeros((400, 400), bool)
    mask[100:300, 100:300] = True
    drawn = np.asarray(draw_instances(grey(400, 400), one(50, 50, 350, 350, mask=mask), CLASSES, COLOURS))
    assert drawn.shape == (400, 400, 3)
    assert drawn[200, 200].tolist() == [175, 50, 50]  # half of both
    assert drawn[200, 100].tolist() == drawn[50, 340].tolist() == [250, 0, 0]  # contour, and frame
    assert drawn[80, 200].tolist() == drawn[20, 380].tolist() == [100, 100, 100]


@pytest.mark.parametrize(('height', 'width', 'size'), [
    (64, 64, (320, 320)), (1, 1, (320, 320)), (3, 200, (400, 6)), (400, 300, (300, 400)), (2, 40000, (16384, 1))])
def test_sizes(height, width, size):
    """Small ones are enlarged by a whole number; none is larger than a browser shows."""
    image = grey(height, width)
    label = np.zeros((height, width), int)
    assert draw_instances(image, one(0, 0, width, height), CLASSES, COLOURS).size == size
    assert draw_segments(image, label, CLASSES, COLOURS).size == size
    assert draw_names(image, ['disc 0.90', 'box 0.10'], COLOURS[0]).size == size
    assert (image == 100).all()


@pytest.mark.parametrize('side', [320, 1000, 4000])
def test_letters_and_lines_follow_the_size(side):
    drawing = draw_instances(grey(side, side), one(side / 4, side / 4, side / 2, side / 2), CLASSES, COLOURS)
    red = (np.asarray(drawing) == COLOURS[0]).all(axis=2)
    assert red[:side // 4].sum(axis=0).max() == pytest.approx(0.044 * side, abs=5)  # the name's box, above the object's
    row = red[round(0.4 * side), :round(0.4 * side)]
    assert row.sum() == pytest.approx(max(2, side * 0.032 / 8), abs=1)


@pytest.mark.parametrize('box', [(0, 0, 30, 30), (390, 5, 400, 20), (0, 390, 20, 400), (380, 380, 400, 400)])
def test_names_stay_within_the_image(box):
    """The letters of a name are there as a whole, wherever its object is."""
    drawn = np.asarray(draw_instances(grey(400, 400), one(*box), ('a long name of a class', ), COLOURS))
    middle = np.asarray(draw_instances(grey(400, 400), one(100, 200, 110, 210), ('a long name of a class', ), COLOURS))
    assert (drawn > 240).all(axis=2).sum() == (middle > 240).all(axis=2).sum() > 50


def test_names_make_room_for_each_other():
    label = _Label.of(draw_names(grey(400, 400), [], COLOURS[0]), 'disc 0.90', COLOURS[0])
    assert label.moved(10, 10).meets(label.moved(20, 20)) and not label.moved(10, 10).meets(label.moved(10, 100))
    two = Instances(np.array([[50, 100, 150, 200], [55, 105, 150, 200.]]), np.array([0, 1]), None, np.array([.9, .8]))
    drawn = np.asarray(draw_instances(grey(400, 400), two, CLASSES, COLOURS))
    for colour in COLOURS:  # both boxes are whole
        assert (drawn == colour).all(axis=2).sum() > 0.6 * label.width * label.height


def test_a_name_that_is_no_text_or_too_long():
    for name in ('\x1b[31m\u202e\udcff', 'x' * 10_000, '', '$\\foo$', '\u732b'):
        assert draw_instances(grey(64, 64), one(1, 2, 9, 9), (name, ), COLOURS).size == (320, 320)


@pytest.mark.parametrize('box', [(10, 10, 10, 10), (20, 20, 5, 5), (-50, -50, 500, 500)])
def test_odd_boxes(box):
    draw_instances(grey(64, 64), one(*box, mask=np.zeros((64, 64), bool)), CLASSES, COLOURS)


def test_nothing_found():
    nothing = Instances(np.zeros((0, 4)), np.zeros(0, int), np.zeros((0, 400, 300), bool), np.zeros(0))
    assert (np.asarray(draw_instances(grey(400, 300), nothing, CLASSES, COLOURS)) == 100).all()


def test_segments_are_coloured_bordered_and_named():
    segments = np.full((400, 400), 255)  # ignored
    segments[:200] = 0
    segments[200:300] = 1
    drawn = np.asarray(draw_segments(grey(400, 400), segments, CLASSES, COLOURS))
    assert drawn[10, 10].tolist() == [175, 50, 50] and drawn[290, 10].tolist() == [50, 50, 175]
    assert drawn[390, 10].tolist() == [100, 100, 100]
    assert drawn[200, 10].tolist() == [0, 0, 250]
    unnamed = np.asarray(draw_segments(grey(400, 400), segments, (), COLOURS))
    named = (drawn != unnamed).any(axis=2)
    assert named[80:120].any() and named[240:260].any() and not named[:60].any()
