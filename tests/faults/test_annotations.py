"""Annotations that cannot be right: named by file and id."""

import copy

import pytest

from lgd_mm.errors import UserError
from lgd_mm.own_data.check_annotations import check_annotations
from lgd_mm.own_data.complete_annotations import complete_annotations

IMAGE = dict(id=7, file_name='a/b.jpg', width=20, height=10)
OBJECT = dict(id=3, image_id=7, category_id=1, bbox=[2, 2, 4, 4], segmentation=[[2, 2, 6, 2, 6, 6]])


def check(image=None, item=None, more_images=()):
    content = dict(images=[{**IMAGE, **(image or {})}, *more_images],
                   annotations=[{**copy.deepcopy(OBJECT), **(item or {})}])
    return check_annotations('train.json', content, {1, 2})


def test_what_is_right():
    assert check() == []
    whole, packed = dict(size=[10, 20], counts=[0, 200]), dict(size=[10, 20], counts='P137000000000\\3')
    assert check(item=dict(segmentation=packed)) == []
    assert check(item=dict(segmentation=whole)) == check(item=dict(segmentation=[])) == []
    assert check(item=dict(segmentation=[[1, 2, 3, 4]])) == check(item=dict(segmentation=[[]])) == []


@pytest.mark.parametrize(('item', 'sentence'), [
    (dict(bbox=[2, 2, 0, 4]), 'annotation 3 has no area'), (dict(bbox=[2, 2, 4, -1]), 'annotation 3 has no area'),
    (dict(bbox=[20, 2, 4, 4]), 'annotation 3 lies outside its image'),
    (dict(bbox=[-9, 2, 4, 4]), 'annotation 3 lies outside its image'),
    (dict(bbox=[.1, .2, .3, .4]), 'annotation 3 is smaller than a pixel (0.3 x 0.4)'),
    (dict(area=0), 'annotation 3 has the area 0'), (dict(area=-2.5), 'annotation 3 has the area -2.5'),
    (dict(ignore=1), 'annotation 3 is to be ignored')])
def test_what_is_left_out(item, sentence):
    assert check(item=item) == [sentence]


@pytest.mark.parametrize(('image', 'item', 'sentence'), [
    ({}, dict(bbox=[2, 2, float('nan'), 4]), 'annotation 3 has the bbox .*, not four finite numbers'),
    ({}, dict(bbox=[2, 2, 4]), 'annotation 3 has the bbox'),
    ({}, dict(bbox=None), 'annotation 3 has the bbox None'),
    ({}, dict(category_id=9), 'annotation 3 is of category 9, which is not there'),
    ({}, dict(image_id=8), 'annotation 3 is of image 8, which is not there'),
    ({}, dict(segmentation=dict(size=[20, 10], counts='x')), r'mask of size \[20, 10\], and its image is \[10, 20\]'),
    ({}, dict(segmentation=dict(size=[10, 20], counts=[1, 2])), 'run lengths that do not cover its image'),
    ({}, dict(segmentation=[1, 2, 3, 4, 5, 6]), 'a polygon that is not pairs of numbers'),
    (dict(file_name='/etc/passwd'), {}, "image 7 has the file_name '/etc/passwd', which leads outside the data set"),
    (dict(file_name='../a.jpg'), {}, 'image 7 has the file_name .*, which leads outside the data set'),
    (dict(file_name='http://x/a.jpg'), {}, 'image 7 has the file_name .*, which leads outside the data set'),
    (dict(file_name=None), {}, 'image 7 has no "file_name"'),
    (dict(width=0), {}, r'image 7 has width and height \[0, 10\]'),
    (dict(width=10**400), {}, 'image 7 has width and height'),
    (dict(width=50_000, height=50_000), {}, r'image 7 has .*\[50000, 50000\], and 178,956,970 pixels are the most'),
    (dict(file_name='a' * 300), {}, 'image 7 has the file_name .*, which is longer than that of any file'),
    ({}, dict(bbox=[1, 1, 10**400, 2]), 'annotation 3 has the bbox .*, not four finite numbers'),
    ({}, dict(bbox=[1] * 10**6), 'annotation 3 has the bbox .*, not four finite numbers'),
    ({}, dict(area=-10**400), 'annotation 3 has the area .*, not a finite number'),
    ({}, dict(category_id=[[1]] * 500_000), 'annotation 3 has the category_id .*, not a whole number'),
    ({}, dict(id=10**4000), r'annotations\[0\] has the id .*, beyond 2\*\*53'),
    ({}, dict(segmentation=[[1, 2, 3, 4, 5, 10**400]]), 'a polygon that is not pairs of numbers'),
    ({}, dict(segmentation=dict(size=[10] * 10**5, counts='x')), 'annotation 3 has a mask of size'),
    (dict(id=None), {}, r'images\[0\] has no "id"'),
    (dict(id=7.5), {}, r'images\[0\] has the id 7.5, not a whole number, such as 1 \(not "1"\)'),
    (dict(id='7'), {}, r"images\[0\] has the id '7', not a whole number"),
    (dict(id=True), {}, r'images\[0\] has the id True, not a whole number'),
    (dict(id=2**63), {}, r'images\[0\] has the id 9223372036854775808, beyond 2\*\*53'),
    ({}, dict(image_id=7.5), 'annotation 3 has the image_id 7.5, not a whole number'),
    ({}, dict(image_id='7'), "annotation 3 has the image_id '7', not a whole number"),
    ({}, dict(category_id=1.5), 'annotation 3 has the category_id 1.5, not a whole number'),
    ({}, dict(category_id=True), 'annotation 3 has the category_id True, not a whole number'),
    ({}, dict(id=None), r'annotations\[0\] has no "id": number them from 1'),
    ({}, dict(id=3.5), r'annotations\[0\] has the id 3.5, not a whole number'),
    ({}, dict(id='a'), r"annotations\[0\] has the id 'a', not a whole number"),
    ({}, dict(area='12'), "annotation 3 has the area '12', not a finite number"),
    ({}, dict(area=float('nan')), 'annotation 3 has the area nan, not a finite number'),
    ({}, dict(iscrowd='0'), "annotation 3 has iscrowd '0', not 0 or 1"),
    ({}, dict(iscrowd=None), 'annotation 3 has iscrowd None, not 0 or 1'),
    ({}, dict(segmentation=dict(size=3, counts='x')), 'annotation 3 has a mask of size 3'),
    ({}, dict(segmentation=dict(size=[10, 20], counts='x')), 'annotation 3 has a mask whose counts cannot be decoded'),
    ({}, dict(segmentation=[[1, 2, 3, 4, 5, float('nan')]]), 'a polygon that is not pairs of numbers'),
    ({}, dict(segmentation=[[1, 2, 3, 4, 5, 6, 7]]), 'a polygon that is not pairs of numbers')])
def test_what_is_refused(image, item, sentence):
    with pytest.raises(UserError, match=f'^train.json: .*{sentence}.*: correct or remove them$') as caught:
        check(image, item)
    assert len(str(caught.value)) < 2000


def test_the_first_three_are_told():
    with pytest.raises(UserError, match='image 7 is there twice; image 7 is there twice; image 7 is there twice and 1'):
        check(more_images=[IMAGE] * 4)


def test_run_lengths_are_read_without_their_pixels(monkeypatch):
    """A few letters stand for all the pixels of the largest image."""
    size = dict(width=13_000, height=13_000)
    monkeypatch.setattr('faster_coco_eval.core.mask.decode', lambda *_: pytest.fail('decoded'))
    with pytest.raises(UserError, match='a mask whose counts cannot be decoded'):
        check(size, dict(segmentation=dict(size=[13_000, 13_000], counts='0' * 6)))


def test_outlines_take_memory_by_their_length(monkeypatch):
    """Of one that crosses a large image a thousand times, the box has the area."""
    monkeypatch.setattr('faster_coco_eval.core.mask.frPyObjects', lambda *_: pytest.fail('drawn'))
    item = dict(copy.deepcopy(OBJECT), segmentation=[[0, 0, 13_000, 13_000] * 1000])
    content = dict(images=[dict(IMAGE, width=13_000, height=13_000)], annotations=[item])
    assert complete_annotations(content) == 1 and item['area'] == 16
