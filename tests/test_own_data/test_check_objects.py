"""Objects of a file in COCO format, taken together."""

import json
from unittest.mock import patch

import pytest
from PIL import Image

from lgd_mm.compat.coco_api import COCO
from lgd_mm.errors import UserError
from lgd_mm.own_data.check_annotations import check_annotations
from lgd_mm.own_data.check_objects import check_objects
from lgd_mm.own_data.coco_categories import read_categories
from lgd_mm.own_data.complete_annotations import complete_annotations
from lgd_mm.own_data.detection import read_detection

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


def test_areas_of_masks():
    """Of polygons, whose parts may overlap, and of run lengths; of the box where there is no mask."""
    content = boxes(*[(1, 1, 4, 4)] * 7)
    half = [1, 1, 5, 1, 1, 5]
    for item, mask in zip(content['annotations'], (
            [half], [half, half], dict(size=[10, 20], counts=[3, 9, 188]),
            dict(size=[10, 20], counts='P137000000000\\3'), [[1, 1, 5, 5]], [[1, 1, 5, 5], half],
            [[1, 1, 1e12, 1, 1, 5]])):
        item['segmentation'] = mask
    assert complete_annotations(content) == 7
    areas = [item['area'] for item in content['annotations']]
    assert areas[0] == areas[1] == areas[5] < 16 and areas[2] == 9 and areas[4] == areas[6] == 16
    assert content['annotations'][5]['segmentation'] == [half]


def test_polygons_of_two_points(tmp_path):
    """They are told, and end no run; a file of them alone has boxes and no masks."""
    write_set(tmp_path, [[[2, 2, 6, 2, 6, 6], [1, 2, 3, 4]], [[1, 2]]])
    with patch('lgd_mm.own_data.coco_set.print_rank0') as say:
        found = read_detection(str(tmp_path))
    assert found.masks and '2 objects have polygons of fewer than three points' in say.call_args_list[0].args[0]
    write_set(tmp_path / 'boxes', [[[1, 2, 3, 4]]] * 2)
    assert not read_detection(str(tmp_path / 'boxes')).masks


def test_ids_that_are_floats(tmp_path):
    """Training, evaluation and checks take them for the whole numbers that they are."""
    ids = write_set(tmp_path, [[[2, 2, 6, 2, 6, 6]]] * 2, float)
    assert read_detection(str(tmp_path)).classes == ('nut',)
    assert [category['id'] for category in read_categories(ids)] == [1]
    read = COCO(str(ids))
    for numbers in (read.anns, read.imgs, read.cats, [item['image_id'] for item in read.anns.values()],
                    [item['category_id'] for item in read.anns.values()],
                    [item['iscrowd'] for item in read.anns.values()]):
        assert all(type(number) is int for number in numbers)
    content = json.loads(ids.read_bytes())
    content['annotations'][0]['image_id'] = 1.5
    ids.write_text(json.dumps(content), encoding='utf-8')
    with pytest.raises(UserError, match='annotation 1 has the image_id 1.5, not a whole number'):
        read_detection(str(tmp_path))


def write_set(root, masks, kind=int):
    """An image, and an object of each mask."""
    content = dict(
        images=[dict(IMAGE, id=kind(7), file_name='a.jpg')], categories=[dict(id=kind(1), name='nut')],
        annotations=[dict(id=kind(index), image_id=kind(7), category_id=kind(1), bbox=[2, 2, 4, 4], iscrowd=kind(0),
                          segmentation=mask) for index, mask in enumerate(masks, 1)])
    for part in ('val', 'train'):
        path = root / 'annotations' / f'{part}.json'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding='utf-8')
        (root / part).mkdir()
        Image.new('RGB', (20, 10)).save(root / part / 'a.jpg')
    return path
