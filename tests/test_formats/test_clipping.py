"""Outlines that reach beyond their image cover the pixels that they would cover in a larger one."""

import json

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_masks

import lgd_mm
from lgd_mm.formats.clipping import clipped
from lgd_mm.formats.labelled_set import LabelledObject
from lgd_mm.formats.notes import Notes
from lgd_mm.formats.objects import Objects
from tests.own_sets import write_image

WIDTH, HEIGHT, RIM = 64, 48, 200


def drawn(polygon, width=WIDTH, height=HEIGHT):
    return coco_masks.decode(coco_masks.frPyObjects([polygon], height, width))[..., 0]


def cut_out(polygon):
    """Of a canvas with a rim, on which nothing is cut off."""
    canvas = drawn([value + RIM for value in polygon], WIDTH + 2 * RIM, HEIGHT + 2 * RIM)
    return canvas[RIM:-RIM, RIM:-RIM]


@pytest.mark.parametrize('polygon', [
    [40, 0, 80, 20, 40, 40], [-30, -30, 100, 20, 20, 90], [50, 40, 70, 40, 70, 60, 50, 60],
    [-20, 10, 90, 10, 90, 20, 30, 15, -20, 20], [-9, -9, 80, -9, 80, 60, -9, 60], [10, 10, 30, 10, 20, 70, 15, -50]])
def test_pixels_are_those_of_a_larger_canvas(polygon):
    found = clipped(polygon, (WIDTH, HEIGHT))
    xs, ys = found[::2], found[1::2]
    assert min(xs) >= 0 and max(xs) <= WIDTH and min(ys) >= 0 and max(ys) <= HEIGHT
    differ = int((drawn(found) != cut_out(polygon)).sum())
    assert differ <= 0.02 * cut_out(polygon).sum(), differ  # pycocotools rounds points to a fifth of a pixel


def test_the_box_is_that_of_what_is_left():
    objects = Objects(Notes(), 'a box is four numbers')
    [taken] = [objects.outline('here', 0, [[40, 0, 80, 20, 40, 40]], (WIDTH, HEIGHT))]
    assert taken.box == pytest.approx((40, 0, 24, 40)) and len(taken.mask[0]) == 8
    taken = objects.outline('here', 0, [[60, 10, 70, 0, 70, 20]], (WIDTH, HEIGHT))
    assert taken.box == pytest.approx((60, 6, 4, 8))
    inside = objects.outline('here', 0, [[1, 2, 3, 2, 3, 4]], (WIDTH, HEIGHT))
    assert inside == LabelledObject(0, (1, 2, 2, 2), [[1, 2, 3, 2, 3, 4]])
    # its box reaches into the image, and it does not
    assert objects.outline('here', 0, [[-20, 5, 5, -20, -20, -20]], (WIDTH, HEIGHT)) is None
    assert objects.notes.count('lie outside their image') == 1


def test_polygons_of_two_points_are_drawn_nowhere(tmp_path):
    """COCO's tools take four numbers for a box."""
    for index in range(4):
        write_image(tmp_path / 'set/images' / f'{index}.jpg', index)
    triangle = [10, 10, 30, 10, 30, 30]
    objects = [dict(id=index + 1, image_id=index, category_id=1, bbox=[10, 10, 20, 20], iscrowd=0,
                    segmentation=[triangle, [5, 5, 40, 40], [3, 3]]) for index in range(4)]
    (tmp_path / 'set/all.json').write_text(json.dumps(dict(
        images=[dict(id=index, file_name=f'{index}.jpg', width=64, height=64) for index in range(4)],
        annotations=objects, categories=[dict(id=1, name='nut')])))
    lgd_mm.convert(tmp_path / 'set', tmp_path / 'out', to='masks')
    for path in (tmp_path / 'out/masks').rglob('*.png'):
        assert (np.asarray(Image.open(path)) == drawn(triangle, 64, 64)).all()
