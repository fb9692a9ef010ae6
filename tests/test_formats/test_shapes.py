"""Shapes that other tools draw, counted by hand."""

import base64
import io
import json
import math
import zlib

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_masks

from lgd_mm.errors import UserError
from lgd_mm.formats.read_set import read_set
from lgd_mm.formats.run_lengths import drawn, encoded, placed
from tests.own_sets import write_image

CVAT = """<annotations><meta><labels><label><name>nut</name></label><label><name>bolt</name></label>
<label><name>thread</name><type>points</type><parent>nut</parent></label></labels></meta>
{images}</annotations>"""


def cvat(root, shapes, more='<box label="bolt" xtl="1" ytl="1" xbr="5" ybr="9"/>'):
    for index in range(2):
        write_image(root / 'images' / f'{index}.jpg', index)
    root.joinpath('annotations.xml').write_text(CVAT.format(images=''.join(
        f'<image id="{index}" name="{index}.jpg" subset="{part}" width="64" height="64">{inner}</image>'
        for index, (part, inner) in enumerate((('Train', shapes), ('Validation', more))))))
    return root


def supervisely(root, items):
    (root / 'train/ann').mkdir(parents=True)
    (root / 'meta.json').write_text(json.dumps(dict(classes=[dict(title='nut'), dict(title='bolt')])))
    for index in range(2):
        write_image(root / 'train/img' / f'{index}.jpg', index)
        (root / 'train/ann' / f'{index}.jpg.json').write_text(json.dumps(
            dict(size=dict(width=64, height=64), objects=items, tags=[dict(name='val' if index else 'train')])))
    return root


def pixels(item):
    return coco_masks.decode(dict(item.mask, counts=item.mask['counts'].encode()))


def test_run_lengths_of_pycocotools():
    """The same bytes as its own, of a mask that reaches beyond its image."""
    inner = np.ones((5, 4), np.uint8)
    canvas = placed(inner, -1, 62, 64, 64)
    assert canvas.sum() == 3 * 2 and canvas[62:, :3].all()
    lengths, box = encoded(canvas)
    assert lengths['counts'].encode() == coco_masks.encode(np.asfortranarray(canvas))['counts']
    assert box == (0, 62, 3, 2) == tuple(coco_masks.toBbox(coco_masks.encode(np.asfortranarray(canvas))))
    assert encoded(placed(inner, 70, 0, 64, 64)) is None and placed(inner, -9, -9, 8, 8).sum() == 0
    assert drawn([[10, 10, 30, 10, 30, 30, 10, 30]], [[15, 15, 25, 15, 25, 25, 15, 25]], 64, 64).sum() == 400 - 100


def test_cvat_shapes(tmp_path):
    runs = [3, 2, 2, 1]  # of rows, in a frame of 4 x 2: ...#|#..#
    found = read_set(cvat(tmp_path / 'set', f"""
        <mask label="nut" left="10" top="20" width="4" height="2" rle="{', '.join(map(str, runs))}"/>
        <box label="bolt" xtl="20" ytl="30" xbr="40" ybr="34" rotation="90"/>
        <ellipse label="nut" cx="32" cy="32" rx="10" ry="4"/>
        <polyline label="nut" points="1,1;2,2"/>"""))
    assert found.classes == ('nut', 'bolt') and {split: len(images) for split, images in found.splits.items()} == dict(
        train=1, val=1)
    mask, rotated, ellipse = found.splits['train'][0].objects
    assert np.argwhere(pixels(mask)).tolist() == [[20, 13], [21, 10], [21, 13]] and mask.box == (10, 20, 4, 2)
    assert rotated.box == pytest.approx((28, 22, 4, 20)) and ellipse.box == pytest.approx((22, 28, 20, 8), abs=0.1)
    area = sum(x * b - a * y for (x, y), (a, b) in zip(points(ellipse), points(ellipse)[1:] + points(ellipse)[:1])) / 2
    assert abs(area) == pytest.approx(math.pi * 10 * 4, rel=0.01)
    assert "shapes are of the kind 'polyline', which stands for no area, and are dropped: 1" in str(found.notes)
    assert 'boxes are rotated, and taken for what holds them: 1' in str(found.notes)


def points(item):
    [outline] = item.mask
    return list(zip(outline[::2], outline[1::2]))


def test_cvat_tags_are_classes(tmp_path):
    found = read_set(cvat(tmp_path / 'set', '<tag label="nut"/>', '<tag label="bolt"/>'))
    assert found.task == 'classification'
    assert [found.splits[split][0].label for split in ('train', 'val')] == [0, 1]


@pytest.mark.parametrize('shape, message', [
    ('<mask label="nut" left="0" top="0" width="4" height="2" rle="3, 2"/>', 'run lengths that do not cover its frame'),
    ('<mask label="nut" left="0" top="0" width="999999" height="999999" rle="3"/>', 'do not cover its frame of 999999'),
    ('<polygon label="nut" points="1,1;2,x;3,3"/>', "points is 'x' and should be a number"),
    ('<box label="nut" xtl="nan" ytl="1" xbr="2" ybr="3"/>', "xtl is 'nan' and should be a number"),
    ('<mask label="nut" left="nan" top="0" width="2" height="2" rle="0, 4"/>', "left is 'nan' and should be a number"),
    ('<mask label="nut" left="0" top="0" width="2" height="2" rle="inf, 4"/>', "rle is 'inf' and should be a number"),
])
def test_what_is_no_shape_of_cvat(tmp_path, shape, message):
    with pytest.raises(UserError, match=message):
        read_set(cvat(tmp_path / 'set', shape))


def test_videos_of_cvat(tmp_path):
    root = cvat(tmp_path / 'set', '')
    (root / 'annotations.xml').write_text(CVAT.format(images='<track id="0" label="nut"/>'))
    with pytest.raises(UserError, match='annotations.xml is of a video, with tracks: export it as "CVAT for images'):
        read_set(root)


def png(mode='RGBA'):
    buffer = io.BytesIO()
    image = Image.new(mode, (6, 3), (255, 0, 0, 0) if mode == 'RGBA' else 0)
    for at in ((0, 0), (5, 0), (2, 2)):
        image.putpixel(at, (255, 0, 0, 255) if mode == 'RGBA' else 1)
    image.save(buffer, 'PNG')
    return base64.b64encode(zlib.compress(buffer.getvalue())).decode()


@pytest.mark.parametrize('mode', ['RGBA', 'L', '1'])
def test_supervisely_bitmaps_and_holes(tmp_path, mode):
    square = [[10, 10], [30, 10], [30, 30], [10, 30]]
    hole = [[15, 15], [25, 15], [25, 25], [15, 25]]
    found = read_set(supervisely(tmp_path / 'set', [
        dict(classTitle='nut', geometryType='bitmap', bitmap=dict(data=png(mode), origin=[40, 50])),
        dict(classTitle='bolt', geometryType='polygon', points=dict(exterior=square, interior=[hole])),
        dict(classTitle='bolt', geometryType='rectangle', points=dict(exterior=[[20, 9], [11, 5]], interior=[])),
        dict(classTitle='bolt', geometryType='point', points=dict(exterior=[[1, 1]], interior=[])),
    ]))
    bitmap, ring, box = found.splits['train'][0].objects
    assert np.argwhere(pixels(bitmap)).tolist() == [[50, 40], [50, 45], [52, 42]] and bitmap.box == (40, 50, 6, 3)
    assert pixels(ring).sum() == 400 - 100 and ring.box == (10, 10, 20, 20)
    assert box.box == (11, 5, 10, 5)  # both corners are pixels of it
    assert "objects are of the kind 'point', which stands for no area, and are dropped: 2" in str(found.notes)


@pytest.mark.parametrize('bitmap, message', [
    (dict(data='no base64', origin=[0, 0]), 'object 1 has a bitmap that cannot be decoded'),
    (dict(data=base64.b64encode(zlib.compress(b'no image')).decode(), origin=[0, 0]), 'cannot be decoded'),
    (dict(data=base64.b64encode(zlib.compress(bytes(2**27))).decode(), origin=[0, 0]), 'cannot be decoded'),
    (dict(data=png()), 'has no bitmap with its origin'),
])
def test_what_is_no_bitmap(tmp_path, bitmap, message):
    with pytest.raises(UserError, match=message):
        read_set(supervisely(tmp_path / 'set', [dict(classTitle='nut', geometryType='bitmap', bitmap=bitmap)]))


def test_labelme_masks_and_groups(tmp_path):
    buffer = io.BytesIO()
    Image.fromarray(np.array([[0, 255], [255, 255]], np.uint8)).save(buffer, 'PNG')
    shapes = [
        dict(label='nut', shape_type='mask', points=[[10, 20], [11, 21]], mask=base64.b64encode(
            buffer.getvalue()).decode()),
        *(dict(label='bolt', shape_type='polygon', group_id=4, points=[[x, 5], [x + 4, 5], [x + 4, 9]])
          for x in (2, 20)),
        dict(label='bolt', shape_type='rectangle', points=[[50, 60], [40, 30]]),
        dict(label='__ignore__', shape_type='rectangle', points=[[50, 60], [40, 30]]),
    ]
    for index in range(2):
        write_image(tmp_path / 'set' / f'{index}.jpg', index)
        (tmp_path / 'set' / f'{index}.json').write_text(json.dumps(dict(
            version='5.5.0', flags={}, shapes=shapes, imagePath=f'{index}.jpg', imageData=None, imageHeight=64,
            imageWidth=64)))
    found = read_set(tmp_path / 'set')
    assert found.classes == ('bolt', 'nut')
    mask, box, pair = found.splits['train'][0].objects
    assert np.argwhere(pixels(mask)).tolist() == [[20, 11], [21, 10], [21, 11]]
    assert box.box == (40, 30, 10, 30) and len(pair.mask) == 2 and pair.box == (2, 5, 22, 4)
    assert 'shapes are called __ignore__ and are dropped: 2' in str(found.notes)


@pytest.mark.parametrize('change', [dict(tags=5), dict(tags=[3])])
def test_tags_of_supervisely_that_are_none(tmp_path, change):
    root = supervisely(tmp_path / 'set', [])
    path = root / 'train/ann/0.jpg.json'
    path.write_text(json.dumps(dict(json.loads(path.read_text()), **change)))
    assert '0.jpg' in str(read_set(root).notes)


def test_holes_of_supervisely_that_are_none(tmp_path):
    triangle = dict(exterior=[[1, 1], [9, 1], [9, 9]], interior=5)
    with pytest.raises(UserError, match='object 1 has the interior 5, which is no list of holes'):
        read_set(supervisely(tmp_path / 'set', [dict(classTitle='nut', geometryType='polygon', points=triangle)]))
