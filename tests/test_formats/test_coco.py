"""COCO's JSON in the layouts that people have."""

import json

import pytest

from lgd_mm.errors import UserError
from lgd_mm.formats.read_set import read_set
from tests.own_sets import CLASSES, write_coco_set, write_image


def as_roboflow(root):
    """As roboflow.com exports a set: the class of the id 0 is the name of the whole."""
    (root / 'val').rename(root / 'valid')
    for split, folder in (('train', 'train'), ('val', 'valid')):
        content = json.loads((root / f'annotations/{split}.json').read_text())
        for category in content['categories']:
            category['supercategory'] = 'hardware'
        content['categories'].insert(0, dict(id=0, name='hardware', supercategory='none'))
        (root / folder / '_annotations.coco.json').write_text(json.dumps(content))
        (root / f'annotations/{split}.json').unlink()
    (root / 'annotations').rmdir()
    return root


def edit(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_own_layout(tmp_path):
    found = read_set(write_coco_set(tmp_path / 'set', masks=True))
    assert (found.format, found.task, found.classes) == ('coco', 'detection', CLASSES)
    assert {split: len(images) for split, images in found.splits.items()} == dict(train=4, val=2)
    assert found.objects == 6 and found.has_masks and 'nothing in val is of the class washer' in str(found.notes)
    image = found.splits['train'][1]
    assert (image.path, image.width, image.height) == (tmp_path / 'set/train/001.jpg', 64, 64)
    assert image.objects[0].label == 1 and image.objects[0].box == (16, 16, 24, 24) and image.objects[0].area == 576
    assert 'numbered anew from 0: 10 is 0, 20 is 1, 30 is 2' in str(found.notes)


def test_roboflow(tmp_path):
    found = read_set(as_roboflow(write_coco_set(tmp_path / 'set')))
    assert found.classes == CLASSES and found.objects == 6
    assert {split: len(images) for split, images in found.splits.items()} == dict(train=4, val=2)
    assert "category 'hardware' has no object and is the name of the group" in str(found.notes)


def test_one_file_is_divided_and_the_division_stays(tmp_path):
    root = write_coco_set(tmp_path / 'set', train=40, val=1)
    (root / 'annotations/val.json').unlink()
    (root / 'val/000.jpg').unlink()
    (root / 'annotations/train.json').rename(root / 'annotations.json')
    (root / 'annotations').rmdir()
    (root / 'train').rename(root / 'pictures')
    first = read_set(root).splits
    assert len(first['train']) + len(first['val']) == 40 and 2 <= len(first['val']) <= 14

    def more(content):
        for number in range(41, 61):
            write_image(root / 'pictures' / f'{number:03}.jpg', number)
            content['images'].append(dict(id=number, file_name=f'{number:03}.jpg', width=64, height=64))
    edit(root / 'annotations.json', more)
    second = read_set(root).splits
    assert {image.path for image in first['val']} <= {image.path for image in second['val']}
    assert {image.path for image in first['train']} <= {image.path for image in second['train']}


def test_what_is_doubtful_is_counted(tmp_path):
    root = write_coco_set(tmp_path / 'set')

    def change(content):
        content['images'].append(dict(id=9, file_name='C:\\data\\lost.jpg', width=64, height=64))
        content['images'][1]['file_name'] = 'D:\\my pictures\\001.jpg'
        items = content['annotations']
        items[0]['bbox'] = [50, 40, 24, 30]
        items[1]['bbox'] = [16, 16, 0, 24]
        items[2]['bbox'] = [70, 16, 10, 24]
    edit(root / 'annotations/train.json', change)
    found = read_set(root)
    assert found.splits['train'][0].objects[0].box == (50, 40, 14, 24)
    for sentence in ('boxes reach beyond their image and are clipped: 1, such as train.json, annotation 1',
                     'objects have no area and are dropped: 1, such as train.json, annotation 2',
                     'objects lie outside their image and are dropped: 1, such as train.json, annotation 3',
                     'images are not there, and their labels are dropped: 1, such as C:\\data\\lost.jpg',
                     'images are named by a path of another machine, and found here by their names: 2',
                     'images have no object and are kept: 2, such as train/001.jpg; train/002.jpg',
                     'images of val are in train as well, so that the figures will be too good: 2'):
        assert sentence in str(found.notes)
    assert found.objects == 4


@pytest.mark.parametrize('change, message', [
    (lambda c: c['annotations'][0].update(category_id=7), 'annotation 1 is of category 7, which is not there'),
    (lambda c: c['images'][0].update(file_name='../../secret.jpg'),
     "the image '../../secret.jpg', which leads outside"),
    (lambda c: [item.update(bbox=[30, 30, 60, 60]) for item in c['annotations']], 'boxes reach beyond their image'),
    (lambda c: c.update(annotations=None), 'no lists "images" and "annotations"'),
])
def test_what_cannot_be_used(tmp_path, change, message):
    root = write_coco_set(tmp_path / 'set')
    edit(root / 'annotations/train.json', change)
    with pytest.raises(UserError, match=message):
        read_set(root)


def test_an_image_under_two_ids_is_one(tmp_path):
    """Else each of the two is trained with as if the objects of the other were background."""
    for index in range(2):
        write_image(tmp_path / 'set/images' / f'{index}.jpg', index)
    names = ['0.jpg', '0.jpg', '1.jpg']
    (tmp_path / 'set/all.json').write_text(json.dumps(dict(
        images=[dict(id=number, file_name=name, width=64, height=64) for number, name in enumerate(names)],
        annotations=[dict(id=number, image_id=number - 1, category_id=1, bbox=[number, 2, 9, 9])
                     for number in (1, 2, 3)], categories=[dict(id=1, name='nut')])))
    found = read_set(tmp_path / 'set')
    boxes = {image.path.name: [item.box for item in image.objects] for part in found.splits.values() for image in part}
    assert boxes == {'0.jpg': [(1, 2, 9, 9), (2, 2, 9, 9)], '1.jpg': [(3, 2, 9, 9)]}
    assert 'images are there under a second id, of which the objects are added: 1, such as' in str(found.notes)
