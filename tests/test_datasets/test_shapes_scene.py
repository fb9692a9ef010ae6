"""What a scene says of itself is what its pixels show."""

import numpy as np
import pytest

from lgd_mm.datasets.shapes import COLOURS, SHAPES, draw_scene, make_scene
from lgd_mm.datasets.shapes.layouts import ade_labels
from lgd_mm.datasets.shapes.outlines import outline


@pytest.fixture(scope='module')
def scenes():
    return [make_scene('training', index) for index in range(60)]


def test_names_are_sorted_as_folders_are():
    assert list(SHAPES) == sorted(SHAPES) and len(SHAPES) == 8
    assert list(COLOURS) == sorted(COLOURS) and len(COLOURS) == 6


def test_seed_split_and_index_make_the_image():
    first, again = make_scene('pretrain', 5), make_scene('pretrain', 5)
    np.testing.assert_array_equal(first.image, again.image)
    assert [item.phrase for item in first.objects] == [item.phrase for item in again.objects]
    for other in (make_scene('pretrain', 6), make_scene('teacher', 5), make_scene('pretrain', 5, seed=1)):
        assert (other.image != first.image).mean() > 0.5


def test_images_have_the_promised_size_and_objects(scenes):
    assert {scene.image.shape for scene in scenes} == {(128, 128, 3)}
    assert {len(scene.objects) for scene in scenes} == {1, 2, 3, 4}
    assert {item.shape for scene in scenes for item in scene.objects} == set(SHAPES)
    assert {item.colour for scene in scenes for item in scene.objects} == set(COLOURS)
    assert make_scene('pretrain', 0).image.shape == (64, 64, 3)
    assert [make_scene('zero_shot', index).objects[0].shape for index in range(8)] == list(SHAPES)
    assert all(len(make_scene('zero_shot', index).objects) == 1 for index in range(8))


def test_masks_do_not_overlap_and_fill_their_boxes(scenes):
    for scene in scenes:
        assert sum(item.mask.astype(int) for item in scene.objects).max() == 1
        for item in scene.objects:
            left, top, width, height = item.box
            rows, columns = np.nonzero(item.mask)
            assert (rows.min(), columns.min()) == (top, left)
            assert (rows.max(), columns.max()) == (top + height - 1, left + width - 1)
            assert max(width, height) <= 46


def test_objects_are_seen(scenes):
    # The thinnest shape of the smallest size, at the visible share that is promised.
    smallest = 0.7 * 11**2 * 0.85 * min(_area(shape) for shape in SHAPES)
    assert min(item.mask.sum() for scene in scenes for item in scene.objects) >= 0.9 * smallest


def test_object_colour_differs_from_others_by_hue():
    """Pixels under a mask have the named hue: the strongest and weakest channels are those of the name."""
    channels = {'blue': (2, 0), 'green': (1, None), 'orange': (0, 2), 'purple': (2, 1), 'red': (0, None),
                'yellow': (None, 2)}
    right = total = 0
    for index in range(120):
        item = (scene := make_scene('zero_shot', index)).objects[0]
        colour = scene.image[item.mask].mean(axis=0)
        strongest, weakest = channels[item.colour]
        total += 1
        right += (strongest in (None, colour.argmax())) and (weakest in (None, colour.argmin()))
    assert right / total > 0.9


def test_single_scene_keeps_a_wanted_shape():
    scene = draw_scene(np.random.default_rng(3), 64, most=3, shape='ring')
    assert {item.shape for item in scene.objects} == {'ring'}


@pytest.mark.parametrize('names', [SHAPES, COLOURS])
def test_labels_count_from_one_and_name_the_object(scenes, names):
    classes = ['background', *names]
    for scene in scenes:
        labels = ade_labels(scene, names)
        assert labels.dtype == np.uint8 and labels.min() == 1 and labels.max() <= len(classes)
        for item in scene.objects:
            assert {classes[label - 1] for label in labels[item.mask]} <= {item.shape, item.colour}
        background = ~np.any([item.mask for item in scene.objects], axis=0)
        assert (labels[background] == 1).all()


def test_outlines_stay_in_the_unit_circle_and_reach_it():
    for shape in SHAPES:
        radii = np.linalg.norm(np.concatenate(outline(shape)), axis=1)
        assert radii.max() == pytest.approx(1, abs=1e-6)


def _area(shape: str) -> float:
    parts = []
    for polygon in outline(shape):
        x, y = polygon.T
        parts.append(abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2)
    return parts[0] - sum(parts[1:])
