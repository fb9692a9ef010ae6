"""Objects of a file in COCO format, taken together."""

import pytest

from lgd_mm.datasets.check_annotations import check_annotations
from lgd_mm.datasets.check_objects import check_objects
from lgd_mm.datasets.complete_annotations import complete_annotations
from lgd_mm.errors import UserError

IMAGE = dict(id=7, file_name='a/b.jpg', width=20, height=10)
OBJECT = dict(id=3, image_id=7, category_id=1, bbox=[2, 2, 4, 4])


def test_an_object_that_is_there_twice():
    content = dict(images=[IMAGE], annotations=[OBJECT, {**OBJECT, 'bbox': [3, 3, 4, 4]}])
    with pytest.raises(UserError, match='^train.json: annotation 3 is there twice: number them from 1: correct'):
        check_annotations('train.json', content, {1})


@pytest.mark.parametrize(('item', 'sentence'), [
    (dict(bbox=[.1, .2, .3, .4]), 'annotation 3 is smaller than a pixel'),
    (dict(area=0), 'annotation 3 has the area 0'),
    (dict(iscrowd=1), 'annotation 3 is a crowd'), (None, 'the file has no annotation')])
def test_no_object_is_left(item, sentence):
    content = dict(images=[IMAGE], annotations=[] if item is None else [{**OBJECT, **item}])
    with pytest.raises(UserError, match=f'^train.json: no object is left to train with: {sentence}'):
        check_objects('train.json', content, 'train')


def boxes(*every):
    return dict(images=[IMAGE], annotations=[{**OBJECT, 'id': index, 'bbox': list(box)}
                                             for index, box in enumerate(every, 1)])


def test_boxes_that_are_corners():
    """Most reach beyond their image."""
    sentence = 'train.json: 2 of 3 boxes reach beyond their image: annotation 1 has the bbox .* is 20 x 10: .*x1'
    with pytest.raises(UserError, match=sentence):
        check_objects('train.json', boxes((12, 2, 16, 8), (2, 4, 18, 8), (2, 2, 3, 3)), 'train')


def test_boxes_that_reach_a_little_beyond():
    assert check_objects('train.json', boxes((2, 2, 18.4, 8), (0, 0, 4, 4)), 'train') is None
    assert check_objects('train.json', boxes((2, 2, 4, 9), (9, 0, 4, 4), (9, 0, 4, 4)), 'train') == (
        'train.json: 1 of 3 boxes reach beyond their image: annotation 1 has the bbox [2, 2, 4, 9], and its image is '
        '20 x 10')


@pytest.mark.parametrize(('every', 'number'), [([(2, 2, 18, 13)], 1), ([(2, 2, 18, 13), (2, 2, 23, 4)], 2),
                                               ([(1, 1, 3, 3), (2, 2, 6, 4), (8, 4, 16, 8)], 1)])
def test_what_does_not_tell_corners(every, number):
    """Fewer than three objects, or one that reaches a few pixels beyond."""
    assert f'{number} of {len(every)} boxes reach beyond' in check_objects('train.json', boxes(*every), 'train')


def test_what_is_completed():
    """Areas for mmdet and the evaluation; and ids, of which 0 would mean that nothing was found."""
    content = boxes((2, 2, 4, 5), (1, 1, 2, 3), (1, 1, 2, 3))
    content['annotations'][0]['id'] = 0
    content['annotations'][1].update(area=None)
    content['annotations'][2].update(area=1.5)
    assert complete_annotations(content) == 2
    assert [item['area'] for item in content['annotations']] == [20, 6, 1.5]
    assert [item['id'] for item in content['annotations']] == [4, 2, 3]
