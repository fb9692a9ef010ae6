"""Images and parts, found by names that are long, alike or of another machine."""

import json
import re

import pytest

import lgd_mm
from lgd_mm.errors import DataError
from lgd_mm.formats.read_set import read_set
from tests.format_samples import sample
from tests.own_sets import write_image

BOX = dict(label='nut', points=[[30, 20], [10, 5]], shape_type='rectangle')


def labelme(root, name, **other):
    write_image(root / f'{name}.jpg', len(name))
    (root / f'{name}.json').write_text(json.dumps(dict(
        dict(version='5', flags={}, shapes=[BOX], imagePath=f'{name}.jpg', imageData=None, imageWidth=64,
             imageHeight=64), **other)))


def voc(root, *names, size=(64, 64)):
    for index, name in enumerate(names):
        write_image(root / 'JPEGImages' / f'{name}.jpg', index)
        (root / 'Annotations').mkdir(exist_ok=True)
        (root / f'Annotations/{name}.xml').write_text(
            f'<annotation><filename>{name}.jpg</filename><size><width>{size[0]}</width><height>{size[1]}</height></size>'
            '<object><name>nut</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>'
            '</annotation>')


def yolo(root, yaml, line='0 .5 .5 .25 .5\n'):
    for split, name in (('train', 'a'), ('val', 'b')):
        write_image(root / f'images/{split}/{name}.jpg', len(split))
        (root / f'labels/{split}').mkdir(parents=True)
        (root / f'labels/{split}/{name}.txt').write_text(line)
    (root / 'data.yaml').write_text(yaml)
    return root


def stems(found):
    return {split: [image.path.stem for image in images] for split, images in found.splits.items()}


@pytest.mark.parametrize('name', ['n' * 300 + '.jpg', 'n/' * 3000 + 'a.jpg'])
def test_names_that_no_file_can_have(tmp_path, name):
    root = sample('coco', tmp_path / 'set')
    path = root / 'annotations/instances_train.json'
    content = json.loads(path.read_text())
    content['images'][0]['file_name'] = name
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match='names the image .* which is longer than that of any file'):
        read_set(root)
    yolo(tmp_path / 'yolo', f'names: [nut]\ntrain: {name}\nval: images/val\n')
    with pytest.raises(DataError, match='has only the part val'):
        read_set(tmp_path / 'yolo')


def test_the_same_names_in_two_parts(tmp_path):
    """An XML file goes with the image of its own part."""
    for split in ('train', 'val'):
        voc(tmp_path / 'voc' / split, 'a', 'b')
        labelme(tmp_path / 'labelme' / split, 'a', imagePath=None)
    found = read_set(tmp_path / 'voc')
    assert stems(found) == dict(train=['a', 'b'], val=['a', 'b'])
    assert all(image.path.parent.parent.name == split for split, images in found.splits.items() for image in images)
    assert stems(read_set(tmp_path / 'labelme')) == dict(train=['a'], val=['a'])


def test_images_of_one_name_in_folders_of_their_own(tmp_path):
    for index in range(10):
        labelme(tmp_path / 'set' / f'{index:03}', 'image')
    found = read_set(tmp_path / 'set')
    assert sum(map(len, found.splits.values())) == 10 and all(found.splits.values())
    assert found.splits == read_set(tmp_path / 'set').splits


def test_two_years_of_voc(tmp_path):
    """As in VOCdevkit: each year has its own lists."""
    for year, names in ((2007, 'abc'), (2012, 'de')):
        root = tmp_path / f'VOC{year}'
        voc(root, *names)
        (root / 'ImageSets/Main').mkdir(parents=True)
        (root / 'ImageSets/Main/train.txt').write_text(names[0])
        (root / 'ImageSets/Main/val.txt').write_text(names[1])
    found = read_set(tmp_path)
    assert stems(found) == dict(train=['a', 'd'], val=['b', 'e'])
    assert 'labelled images are in no list of ImageSets/Main and are left out: 1, such as c' in str(found.notes)


@pytest.mark.parametrize('size', [(0, 0), (-64, 64), (10**9, 10**9)])
def test_sizes_that_no_image_has_are_read_from_it(tmp_path, size):
    voc(tmp_path / 'voc', 'a', 'b', size=size)
    for name in 'ab':
        labelme(tmp_path / 'labelme', name, imageWidth=size[0], imageHeight=size[1])
    for form in ('voc', 'labelme'):
        images = [image for part in read_set(tmp_path / form).splits.values() for image in part]
        assert len(images) == 2
        assert all((image.width, image.height, len(image.objects)) == (64, 64, 1) for image in images)


def test_a_size_that_is_no_number(tmp_path):
    voc(tmp_path, 'a', 'b', size=('nan', 64))
    with pytest.raises(DataError, match="a.xml: <width> is 'nan' and should be a number"):
        read_set(tmp_path)


def test_labelme_files_that_were_moved_beside_their_images(tmp_path):
    for name in 'ab':
        labelme(tmp_path / 'set', name, imagePath=f'..\\photos\\{name}.jpg')
    found = read_set(tmp_path / 'set')
    assert sorted(sum(stems(found).values(), [])) == ['a', 'b']
    assert 'images are named by a folder outside the set, and found beside their JSON files: 2' in str(found.notes)


def test_labelme_with_the_image_before_the_shapes(tmp_path):
    for name in 'ab':
        labelme(tmp_path / 'set', name)
        path = tmp_path / 'set' / f'{name}.json'
        content = json.loads(path.read_text())
        path.write_text(json.dumps(dict(imageData='A' * 200_000, **{key: value for key, value in content.items()
                                                                    if key != 'imageData'})))
    assert read_set(tmp_path / 'set').format == 'labelme'


@pytest.mark.parametrize('shape, line', [('[4, 2]', '0 .5 .5 .25 .5 .5 .5 .4 .4 .6 .6 .6 .5'),
                                         ('[3, 3]', '0 .5 .5 .25 .5 .5 .5 2 .4 .4 2 .6 .6 2'),
                                         ('[1, 2]', '0 .5 .5 .25 .5 .5 .5')])
def test_key_points_of_yolo_are_no_outlines(tmp_path, shape, line):
    root = yolo(tmp_path / 'set', f'names: [nut]\nkpt_shape: {shape}\ntrain: images/train\nval: images/val\n', line)
    found = read_set(root)
    [item] = found.splits['train'][0].objects
    assert item.box == (24, 16, 16, 32) and item.mask is None
    assert 'behind their boxes, lines have key points, which are not read' in str(found.notes)


@pytest.mark.parametrize('names', ['[no, yes]', '{0: cat, 1: null}', '[1.10, b]', '[[a], b]'])
def test_names_that_yaml_takes_for_something_else(tmp_path, names):
    with pytest.raises(DataError, match=r"data.yaml: names has .* without quotes: write 'no', '1.10'"):
        read_set(yolo(tmp_path / 'set', f'names: {names}\ntrain: images/train\nval: images/val\n'))


def test_folders_of_yolo_that_are_links(tmp_path):
    root = yolo(tmp_path / 'set', 'names: [nut]\ntrain: images/train\nval: images/val\n')
    (root / 'images').rename(tmp_path / 'elsewhere')
    (root / 'images').symlink_to(tmp_path / 'elsewhere')
    found = read_set(root)
    assert stems(found) == dict(train=['a'], val=['b']) and found.objects == 2 and not str(found.notes)
    (root / 'data.yaml').write_text(f'path: {root}\nnames: [nut]\ntrain: .\n')
    assert len(read_set(root).splits) == 2


def test_coco_of_fiftyone_and_of_key_points(tmp_path):
    for number, name in enumerate(('labels.json', 'annotations/person_keypoints_train.json')):
        root = tmp_path / str(number)
        for index in range(2):
            write_image(root / 'data' / f'{index}.jpg', index)
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(json.dumps(dict(
            images=[dict(id=index, file_name=f'{index}.jpg', width=64, height=64) for index in range(2)],
            annotations=[dict(id=1, image_id=1, category_id=1, bbox=[1, 2, 3, 4], keypoints=[1, 2, 2])],
            categories=[dict(id=1, name='person')])))
        assert read_set(root).objects == 1


def test_no_image_is_there(tmp_path):
    root = sample('coco', tmp_path / 'set')
    for path in root.rglob('*.jpg'):
        path.unlink()
    with pytest.raises(DataError, match=r'has no labelled image \(images are not there, and their labels are '
                                        r'dropped: \d+, such as .*\): there is nothing to train with'):
        read_set(root)


def test_a_label_as_long_as_a_text(tmp_path):
    for name in 'ab':
        write_image(tmp_path / 'set' / f'{name}.jpg', ord(name))
    for length, message in ((200_000, 'labels.csv is no table of short texts'), (300, 'has no name that a folder can')):
        (tmp_path / 'set/labels.csv').write_text(f'image,label\na.jpg,{"x" * length}\nb.jpg,dog\n')
        with pytest.raises(DataError, match=message):
            lgd_mm.convert(tmp_path / 'set', tmp_path / 'out')
    (tmp_path / 'set/labels.csv').write_text('"' + 'x' * 200_000)
    with pytest.raises(DataError, match=re.escape(str(tmp_path / 'set'))):
        read_set(tmp_path / 'set')


def test_yolo_of_label_studio_and_of_labelimg(tmp_path):
    """The first writes a JSON of its own beside it, the second the names beside the labels."""
    root = yolo(tmp_path / 'set', '')
    (root / 'data.yaml').unlink()
    (root / 'classes.txt').write_text('nut\n')
    (root / 'notes.json').write_text('{"categories": [{"id": 0, "name": "nut"}], "info": {"version": "1.0"}}')
    before = read_set(root)
    assert before.format == 'yolo' and before.objects == 2
    (root / 'classes.txt').rename(root / 'labels/classes.txt')
    found = read_set(root)
    assert found.splits == before.splits and found.classes == ('nut', ) and 'classes.txt' not in str(found.notes)
