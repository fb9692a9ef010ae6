"""Labels of whole images: folders and tables."""

import json

import pytest

import lgd_mm
from lgd_mm.errors import UserError
from lgd_mm.formats.part_names import split_of
from lgd_mm.formats.read_set import read_set
from tests.own_sets import write_image


def labels(found):
    return {image.path.name: (split, found.classes[image.label]) for split, images in found.splits.items()
            for image in images}


def images(root, *paths):
    for index, path in enumerate(paths):
        write_image(root / path, index)
    return root


@pytest.mark.parametrize('name, part', [
    ('train', 'train'), ('instances_val2017', 'val'), ('Valid', 'val'), ('test', 'test'), ('trainval', None),
    ('train_val', None), ('terrain', None), ('obj_train_data', 'train'), ('validation-set', 'val'), ('', None)])
def test_names_of_parts(name, part):
    assert split_of(name) == part


def test_a_class_called_train(tmp_path):
    """A train is no part among cars and ships."""
    root = images(tmp_path / 'set', *(f'{name}/{name}{index}.jpg' for name in ('train', 'car', 'ship')
                                      for index in range(4)))
    found = read_set(root)
    assert found.classes == ('car', 'ship', 'train') and len(labels(found)) == 12
    assert all(part in ('train', 'val') and name.startswith(label) for name, (part, label) in labels(found).items())


def test_three_parts_and_two(tmp_path):
    root = images(tmp_path / 'set', *(f'{part}/{name}/{part}{index}.jpg' for part in ('Train', 'valid', 'test')
                                      for index, name in enumerate(('a', 'b'))), 'Train/loose.jpg')
    found = read_set(root)
    assert {split: len(kept) for split, kept in found.splits.items()} == dict(train=2, val=2, test=2)
    assert 'images lie in no folder of a class and are left out: 1, such as Train/loose.jpg' in str(found.notes)
    for path in (root / 'valid').rglob('*.jpg'):
        path.unlink()
    found = read_set(root)
    assert {split: len(kept) for split, kept in found.splits.items()} == dict(train=2, val=2)
    assert 'there is no part val, and test is taken for it' in str(found.notes)


@pytest.mark.parametrize('name, text, expected', [
    ('labels.csv', 'image,label\n0.jpg,cat\n1.jpg,dog\n2.jpg,cat\n', ('cat', 'dog')),
    ('labels.tsv', 'path\tclass\nimages/0.jpg\t10\nimages/1.jpg\t9\nimages/2.jpg\t10\n', ('9', '10')),
    ('labels.csv', '\ufeffid;species\r\n0;cat\r\n1;"guinea; pig"\r\n2;cat\r\n', ('cat', 'guinea; pig')),
    ('_classes.csv', 'filename, cat, dog\n0.jpg, 1, 0\n1.jpg, 0, 1\n2.jpg, 1, 0\n', ('cat', 'dog')),
])
def test_tables(tmp_path, name, text, expected):
    root = images(tmp_path / 'set', *(f'images/{index}.jpg' for index in range(3)))
    (root / name).write_text(text, newline='')
    found = read_set(root)
    assert (found.format, found.task, found.classes) == ('csv', 'classification', expected)
    kept = {name: label for name, (_, label) in labels(found).items()}
    assert len(kept) == 3 and kept['0.jpg'] == kept['2.jpg'] != kept['1.jpg']


def test_what_a_table_leaves_open_is_counted(tmp_path):
    root = images(tmp_path / 'set', *(f'images/{index}.jpg' for index in range(6)))
    (root / '_classes.csv').write_text(
        'filename,cat,dog\n0.jpg,1,0\n1.jpg,0,1\n2.jpg,1,1\n3.jpg,0,0\n4.jpg,1,0\n4.jpg,1,0\n')
    found = read_set(root)
    assert len(labels(found)) == 3
    for sentence in ('images have several labels and are dropped: 1, such as 2.jpg',
                     'images have no label and are dropped: 1, such as 3.jpg',
                     'lines say again what another one says: 1',
                     'images are in no line of a table and are left out: 3'):
        assert sentence in str(found.notes)


def test_a_table_of_boxes_is_told(tmp_path):
    root = images(tmp_path / 'set', 'images/0.jpg')
    (root / 'boxes.csv').write_text('filename,width,height,class,xmin,ymin,xmax,ymax\n0.jpg,64,64,cat,1,1,9,9\n')
    with pytest.raises(UserError, match='boxes.csv is a table of boxes, which is not read: write them as COCO JSON'):
        read_set(root)


def test_names_that_no_folder_can_have(tmp_path):
    root = images(tmp_path / 'set', *(f'{index}.jpg' for index in range(4)))
    (root / 'labels.csv').write_text('image,label\n0.jpg,cat/wild\n1.jpg,.dog\n2.jpg,cat/wild\n3.jpg,.dog\n')
    found = lgd_mm.convert(root, tmp_path / 'out')
    assert sorted(path.name for path in (tmp_path / 'out/train').iterdir()) == ['cat_wild', 'dog']
    assert "the folder of the class 'cat/wild' is 'cat_wild'" in str(found.notes)
    (root / 'labels.csv').write_text('image,label\n0.jpg,../..\n1.jpg,b\n')
    lgd_mm.convert(root, tmp_path / 'other')
    assert {path.name for path in tmp_path.iterdir()} == {'set', 'out', 'other'}, 'nothing leaves the folder'


def test_one_image_cannot_be_divided(tmp_path):
    root = images(tmp_path / 'set', 'images/0.jpg')
    (root / 'all.json').write_text(json.dumps(dict(
        images=[dict(id=1, file_name='0.jpg', width=64, height=64)], categories=[dict(id=1, name='cat')],
        annotations=[dict(id=1, image_id=1, category_id=1, bbox=[1, 1, 9, 9])])))
    with pytest.raises(UserError, match='has one image alone, which cannot be divided'):
        read_set(root)


def test_roboflows_copies_of_an_image_stay_together(tmp_path):
    names = [f'{name}_jpg.rf.{index:032x}.jpg' for name in 'abcdefgh' for index in range(3)]
    root = images(tmp_path / 'set', *(f'{"cat" if name < "e" else "dog"}/{name}' for name in names))
    parts = {}
    for name, (part, _) in labels(read_set(root)).items():
        parts.setdefault(name[0], set()).add(part)
    assert len(parts) == 8 and all(len(found) == 1 for found in parts.values())
