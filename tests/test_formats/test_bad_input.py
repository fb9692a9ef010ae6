"""What goes wrong with sets of people: in each format it is counted, or refused in a sentence that names the file."""

import json
import re
import shutil

import pytest
from PIL import Image

import lgd_mm
from lgd_mm.errors import DataError, UserError
from lgd_mm.formats.read_set import read_set
from tests.format_samples import IMAGES, PLACES, sample
from tests.own_sets import CLASSES, write_image


def table(root):
    """A table of labels, and its images."""
    lines = ['image,label,split']
    for name, (part, _, _) in IMAGES.items():
        write_image(root / 'images' / f'{name}.jpg', len(lines))
        lines.append(f'{name}.jpg,{CLASSES[len(lines) % 3]},{part}')
    (root / 'labels.csv').write_text('\n'.join(lines))
    return root


def folders(root):
    for index, path in enumerate(('train/nut/a', 'train/bolt/b ü', 'train/bolt/c', 'val/nut/d', 'val/bolt/e')):
        write_image(root / f'{path}.jpg', index)
    return root


PATHS = dict(PLACES, csv='images/{name}.jpg', folders='{split}/nut/{name}.jpg')
FORMATS = ('coco', 'yolo', 'darknet', 'voc', 'voc_flat', 'cvat', 'labelme', 'supervisely', 'voc_masks', 'camvid', 'csv')


def make(form, root):
    return dict(csv=table, folders=folders).get(form, lambda root: sample(form, root))(root)


def image(form, root, name, split):
    return root / PATHS[form].format(split=split, name=name)


def stems(found):
    return {each.path.stem for each in found.splits['train']}


def edit(path, old, new):
    text = path.read_text()
    assert old in text, path
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize('form', FORMATS)
def test_labels_of_images_that_are_not_there(tmp_path, form):
    root = make(form, tmp_path / 'a set ü')
    before = read_set(root)
    image(form, root, 'a', 'train').unlink()
    found = read_set(root)
    assert stems(found) == stems(before) - {'a'}
    assert re.search('(images are not there, and their labels are dropped|(label files|masks) are of no image that is '
                     'there and are left out): 1', str(found.notes))


@pytest.mark.parametrize('form', FORMATS)
def test_images_without_labels(tmp_path, form):
    root = make(form, tmp_path / 'set')
    shutil.copy(image(form, root, 'a', 'train'), image(form, root, 'more', 'train'))
    found = read_set(root)
    assert 'more.jpg' in str(found.notes)
    # in YOLO, an image without a label file is one without objects, unless a list leaves it out
    assert ('more' in stems(found)) == (form == 'darknet')


@pytest.mark.parametrize('form', [*FORMATS, 'folders'])
def test_an_image_in_train_and_val_is_named(tmp_path, form):
    root = make(form, tmp_path / 'set')
    shutil.copy(image(form, root, 'a', 'train'), image(form, root, 'd', 'val'))
    assert 'images of val are in train as well, so that the figures will be too good: 1, such as d.jpg' in str(
        read_set(root).notes)


@pytest.mark.parametrize('form, file, old, new, message', [
    ('coco', 'annotations/instances_train.json', '"category_id":2', '"category_id":9',
     'is of category 9, which is not there'),
    ('yolo', 'labels/train/a.txt', '1 ', '9 ', r'a.txt, line 2 has the class 9, and there are 3, 0 to 2 \(nut'),
    ('yolo', 'labels/train/a.txt', '1 ', '0.5 ', 'has the class 0.5, and there are 3'),
    ('yolo_seg', 'train/labels/a.txt', '0 0.06250 0.12500 ', '0 0.12500 ', 'a.txt, line 1 has 8 values: a line'),
    ('yolo', 'labels/train/a.txt', '1 ', '1 nan ', 'a line is CLASS'),
    ('cvat', 'train.xml', '<box label="nut"', '<box label="screw"', "label 'screw', which is not among its labels"),
    ('supervisely', 'train/ann/a.jpg.json', '"classTitle": "nut"', '"classTitle": "screw"',
     "object 1 is of the class 'screw', which meta.json does not have"),
    ('voc', 'Annotations/a.xml', '<xmin>4.0</xmin>', '<xmin>four</xmin>', "a.xml: <xmin> is 'four' and should be a"),
    ('voc', 'Annotations/a.xml', '<name>nut</name>', '<name></name>', 'a.xml has an object without <name>'),
    ('labelme', 'train/a.json', '"label": "nut",', '', 'a.json is no file of LabelMe: it has no "shapes", each with'),
    ('labelme', 'train/a.json', '"label": "nut"', '"label": " "', 'it has no "shapes", each with "label" and "points"'),
    ('labelme', 'train/a.json', '          4,', '          "4",', 'shape 1 has a point that is not two finite numbers'),
    ('csv', 'labels.csv', 'd.jpg,washer,val', 'd.jpg,washer,holdout', "line 6 is of the part 'holdout', and should"),
    ('csv', 'labels.csv', 'd.jpg,washer,val', 'd.jpg,washer', 'labels.csv, line 6 has 2 columns, and the head has 3'),
    ('csv', 'labels.csv', 'd.jpg,washer,val', 'a.jpg,washer,train', "gives 'a.jpg' the label 'washer', and a line"),
])
def test_what_is_no_label(tmp_path, form, file, old, new, message):
    root = make(form, tmp_path / 'set')
    edit(root / file, old, new)
    with pytest.raises(DataError, match=message):
        read_set(root)


def test_a_value_that_is_no_class(tmp_path):
    root = make('voc_masks', tmp_path / 'set')
    edit(root / 'labelmap.txt', 'washer:128,128,0::', 'washer:128,128,1::')
    with pytest.raises(DataError, match=r'b ü.png has the colour 128,128,0, which is no class: add it to the table'):
        lgd_mm.convert(root, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('form, file, message', [
    ('coco', 'annotations/instances_val.json', 'instances_val.json is no valid JSON|has no "categories"|no annotation'),
    ('voc', 'Annotations/a.xml', 'a.xml is no valid XML'),
    ('cvat', 'val.xml', 'val.xml is no valid XML'),
    ('labelme', 'train/a.json', 'a.json is no valid JSON'),
    ('supervisely', 'train/ann/a.jpg.json', 'a.jpg.json is no valid JSON'),
    ('yolo', 'data.yaml', 'is of no format that is known|has no data.yaml with names'),
    ('csv', 'labels.csv', 'is of no format that is known|no table|one class folder'),
    ('voc_masks', 'SegmentationClass/a.png', 'a.png cannot be decoded'),
])
def test_an_empty_file(tmp_path, form, file, message):
    root = make(form, tmp_path / 'set')
    (root / file).write_bytes(b'')
    with pytest.raises(DataError, match=message):
        lgd_mm.convert(root, tmp_path / 'out')


def test_an_empty_label_file_is_an_image_without_objects(tmp_path):
    root = make('yolo', tmp_path / 'set')
    (root / 'labels/train/a.txt').write_text('')
    found = read_set(root)
    assert 'images have no object and are kept: 2' in str(found.notes) and len(found.splits['train']) == 4
    image('yolo', root, 'c', 'train').write_bytes(b'')
    assert 'images cannot be read and are dropped: 1' in str(read_set(root).notes)


@pytest.mark.parametrize('form, file, old, new', [
    ('coco', 'annotations/instances_train.json', '"file_name":"a.jpg"', '"file_name":"C:\\\\Users\\\\me\\\\a.jpg"'),
    ('voc', 'Annotations/a.xml', '<filename>a.jpg</filename>', '<filename>C:\\Users\\me\\a.jpg</filename>'),
    ('cvat', 'train.xml', 'name="a.jpg"', 'name="C:\\Users\\me\\a.jpg"'),
    ('labelme', 'train/a.json', '"imagePath": "a.jpg"', '"imagePath": "C:\\\\Users\\\\me\\\\a.jpg"'),
    ('csv', 'labels.csv', 'a.jpg,', 'C:\\Users\\me\\a.jpg,'),
    ('yolo', 'train.txt', './images/train/a.jpg', 'C:\\Users\\me\\a.jpg'),
    ('coco', 'annotations/instances_train.json', '"file_name":"a.jpg"', '"file_name":"/home/me/a.jpg"'),
    ('labelme', 'train/a.json', '"imagePath": "a.jpg"', '"imagePath": "..\\\\train\\\\a.jpg"'),
])
def test_paths_of_another_machine(tmp_path, form, file, old, new):
    root = make(form, tmp_path / 'set')
    before = read_set(root)
    edit(root / file, old, new)
    found = read_set(root)
    assert found.splits == before.splits
    if form != 'voc' and '..' not in new:  # VOC goes by the names of the XML files
        assert 'images are named by a path of another machine, and found here by their names: 1' in str(found.notes)


@pytest.mark.parametrize('form, file, old', [
    ('coco', 'annotations/instances_train.json', '"file_name":"a.jpg"'), ('cvat', 'train.xml', 'name="a.jpg"'),
    ('labelme', 'train/a.json', '"imagePath": "a.jpg"'), ('csv', 'labels.csv', 'a.jpg'), ('yolo', 'train.txt',
                                                                                         './images/train/a.jpg'),
])
def test_paths_that_lead_out_of_the_set(tmp_path, form, file, old):
    root = make(form, tmp_path / 'set')
    write_image(tmp_path / 'secret.jpg', 0)
    edit(root / file, old, old.replace('./images/train/', '').replace('a.jpg', '../../secret.jpg'))
    with pytest.raises(DataError, match=r"names the image '../../secret.jpg', which leads outside the data set"):
        read_set(root)


@pytest.mark.parametrize('form', ['labelme', 'voc_flat', 'supervisely', 'csv', 'cvat'])
def test_parts_are_of_all_images_or_of_none(tmp_path, form):
    root = make(form, tmp_path / 'set')
    if form == 'csv':
        edit(root / 'labels.csv', 'd.jpg,washer,val', 'd.jpg,washer,')
    elif form == 'cvat':
        (root / 'val.xml').rename(root / 'annotations.xml')
    else:
        (root / 'val').rename(root / 'kitchen')
    with pytest.raises(DataError, match='images are of no part, such as d.jpg, and others are of train'):
        read_set(root)


def test_two_files_of_one_part(tmp_path):
    root = make('coco', tmp_path / 'set')
    shutil.copy(root / 'annotations/instances_train.json', root / 'annotations/train.json')
    with pytest.raises(DataError, match=r'are both of the part train: give a folder with one file of each part'):
        read_set(root)


def test_images_that_exif_turns(tmp_path):
    """YOLO does not tell sizes, so nothing tells which way the boxes lie; COCO does."""
    for form in ('yolo', 'labelme'):
        root = make(form, tmp_path / form)
        path = image(form, root, 'a', 'train')
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.open(path).save(path, exif=exif)
        with pytest.raises(DataError, match='a.jpg is turned by its EXIF|EXIF turns it .orientation 6'):
            lgd_mm.convert(root, tmp_path / 'out')


def test_images_are_called_as_the_user_knows_them(tmp_path):
    """The folder that was being written is gone."""
    root = make('voc', tmp_path / 'set')
    path = image('voc', root, 'a', 'train')
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.open(path).save(path, exif=exif)
    with pytest.raises(DataError, match=f'^{re.escape(str(path))} is turned by its EXIF orientation 3'):
        lgd_mm.convert(root, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_two_formats_in_one_folder(tmp_path):
    root = make('yolo', tmp_path / 'set')
    shutil.copytree(make('coco', tmp_path / 'other') / 'annotations', root / 'annotations')
    with pytest.raises(DataError, match=f'looks like coco and like yolo: .* lgd-mm convert {root} OUT --from coco'):
        read_set(root)
    assert read_set(root, 'yolo').format == 'yolo' and read_set(root, 'coco').format == 'coco'
    with pytest.raises(UserError, match="no format is called 'yollo'; did you mean 'yolo'"):
        read_set(root, 'yollo')


def test_hostile_xml_and_yaml(tmp_path):
    """Entities that grow, entities of other files, and YAML that would build objects."""
    root = make('voc', tmp_path / 'voc')
    bomb = '<!DOCTYPE a [<!ENTITY b "nut">' + ''.join(
        f'<!ENTITY {chr(99 + i)} "{f"&{chr(98 + i)};" * 50}">' for i in range(12)) + ']>'
    text = (root / 'Annotations/a.xml').read_text()
    (root / 'Annotations/a.xml').write_text(bomb + text.replace('nut', '&n;'))
    with pytest.raises(DataError, match='a.xml is no valid XML'):
        read_set(root)
    (root / 'Annotations/a.xml').write_text(f'<!DOCTYPE a [<!ENTITY n SYSTEM "file:///etc/passwd">]>{text}'.replace(
        '<name>nut', '<name>&n;'))
    with pytest.raises(DataError, match='a.xml is no valid XML'):
        read_set(root)
    root = make('yolo', tmp_path / 'yolo')
    (root / 'data.yaml').write_text(f'names: !!python/object/apply:os.system ["touch {tmp_path}/ran"]')
    with pytest.raises(DataError, match='data.yaml is no valid YAML'):
        read_set(root)
    assert not (tmp_path / 'ran').exists()


def test_shapes_that_stand_for_no_area(tmp_path):
    root = make('labelme', tmp_path / 'set')
    content = json.loads((root / 'train/a.json').read_text())
    content['shapes'] += [dict(label='nut', points=[[3, 3]], shape_type='point'),
                          dict(label='bolt', points=[[30, 30], [33, 34]], shape_type='circle'),
                          dict(label='nut', points=[[1, 1], [5, 1]], shape_type='polygon')]
    (root / 'train/a.json').write_text(json.dumps(content))
    found = read_set(root)
    circle = next(item for item in found.splits['train'][0].objects if item.box[0] == pytest.approx(25, abs=0.1))
    assert circle.box == pytest.approx((25, 25, 10, 10), abs=0.05)  # of radius 5 around (30, 30)
    assert "shapes are of the kind 'point', which stands for no area, and are dropped: 1" in str(found.notes)
    assert 'polygons have fewer than three points and are dropped: 1' in str(found.notes)
