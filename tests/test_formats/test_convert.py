"""Sets of other tools become folders that are trained on: an independent count of what is in them."""

import json
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

import lgd_mm
from lgd_mm.errors import UserError
from lgd_mm.own_data.segmentation import read_segmentation
from tests.format_samples import CLASSES, IMAGES, boxes, sample
from tests.own_sets import write_image

DETECTION = ('coco', 'yolo', 'yolo_seg', 'darknet', 'voc', 'voc_flat', 'cvat', 'labelme', 'supervisely')
OBJECTS = {split: Counter(CLASSES[label] for name, (part, _, _) in IMAGES.items() if part == split
                          for label, *_ in boxes(name)) for split in ('train', 'val')}


@pytest.mark.parametrize('form', DETECTION)
def test_pycocotools_counts_what_was_labelled(tmp_path, form, capsys):
    source = sample(form, tmp_path / 'a set ü')
    before = {path: path.stat().st_mtime_ns for path in source.rglob('*')}
    lgd_mm.convert(source, tmp_path / 'out')
    assert {path: path.stat().st_mtime_ns for path in source.rglob('*')} == before, 'nothing is written into it'
    for split in ('train', 'val'):
        found = COCO(str(tmp_path / f'out/annotations/{split}.json'))
        names = {number: item['name'] for number, item in found.cats.items()}
        assert Counter(names[item['category_id']] for item in found.anns.values()) == OBJECTS[split]
        for image in found.imgs.values():
            assert (tmp_path / 'out/images' / split / image['file_name']).is_file()
    assert f'{tmp_path}/out: written as coco' in capsys.readouterr().out


def test_outlines_become_masks(tmp_path):
    """Of rectangles, whose pixels can be counted; boxes without an outline are told."""
    lgd_mm.convert(sample('yolo_seg', tmp_path / 'set'), tmp_path / 'out', to='masks')
    found = read_segmentation(str(tmp_path / 'out'))
    assert found.classes == ('background', *CLASSES) and found.counts == dict(train=4, val=2)
    labels = np.asarray(Image.open(tmp_path / 'out/masks/train/b ü.png'))
    assert set(np.unique(labels)) == {0, 1, 3}
    # 30 x 30 and 16 x 12; supervision measures polygons from the middles of pixels
    assert 29 * 29 <= (labels == 3).sum() <= 900 and 15 * 11 <= (labels == 1).sum() <= 192


def test_boxes_alone_become_no_masks(tmp_path):
    with pytest.raises(UserError, match='boxes alone, and segmentation needs outlines'):
        lgd_mm.convert(sample('voc', tmp_path / 'set'), tmp_path / 'out', to='masks')
    assert not (tmp_path / 'out').exists()
    with pytest.raises(UserError, match='has labels for detection: it cannot be written as folders'):
        lgd_mm.convert(sample('yolo', tmp_path / 'other'), tmp_path / 'out', to='folders')


def test_colours_become_labels(tmp_path):
    lgd_mm.convert(sample('voc_masks', tmp_path / 'set'), tmp_path / 'out')
    assert (tmp_path / 'out/classes.txt').read_text().split() == ['background', *CLASSES]
    labels = np.asarray(Image.open(tmp_path / 'out/masks/train/b ü.png'))
    assert labels.dtype == np.uint8 and Counter(labels.ravel().tolist()) == {0: 64 * 48 - 900 - 192, 3: 900, 1: 192}


def test_a_table_becomes_class_folders(tmp_path):
    lines = ['filename,label,split']
    for index in range(6):
        write_image(tmp_path / 'set/pictures' / f'{index} ü.jpg', index)
        lines.append(f'{index} ü.jpg,{CLASSES[index % 3]},{"val" if index > 3 else "train"}')
    (tmp_path / 'set/labels.csv').write_text('\n'.join(lines))
    lgd_mm.convert(tmp_path / 'set', tmp_path / 'out')
    there = sorted(str(path.relative_to(tmp_path / 'out')) for path in (tmp_path / 'out').rglob('*.jpg'))
    assert there == ['train/bolt/1 ü.jpg', 'train/nut/0 ü.jpg', 'train/nut/3 ü.jpg', 'train/washer/2 ü.jpg',
                     'val/bolt/4 ü.jpg', 'val/washer/5 ü.jpg']
    assert (tmp_path / 'out/val/nut').is_dir()


def test_out_appears_whole_or_not_at_all(tmp_path):
    source = sample('coco', tmp_path / 'set')
    path = source / 'annotations/instances_train.json'
    content = json.loads(path.read_text())
    for image in content['images']:
        image.update(width=48, height=64)
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r'/out/annotations/train.json: image 1 is 64 x 48 as read, the file says 48 x'):
        lgd_mm.convert(source, tmp_path / 'out')
    assert [path.name for path in tmp_path.iterdir()] == ['set']
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/mine.txt').write_text('kept')
    with pytest.raises(UserError, match='is there and not empty: give another OUT'):
        lgd_mm.convert(source, tmp_path / 'out')
    with pytest.raises(UserError, match='would be read as a part of it'):
        lgd_mm.convert(source, source / 'out')
    assert (tmp_path / 'out/mine.txt').read_text() == 'kept'


def test_links_out_of_the_set(tmp_path):
    """OUT is passed on: what a link passes for an image stays where it is, and images that are linked in come along."""
    (tmp_path / 'secret').write_text('password')
    write_image(tmp_path / 'elsewhere.png', 0)
    for path in ('train/nut/0.jpg', 'train/bolt/1.jpg', 'val/nut/2.jpg', 'val/bolt/3.jpg'):
        write_image(tmp_path / 'set' / path, int(path[-5]))
    (tmp_path / 'set/train/nut/4.jpg').symlink_to(tmp_path / 'elsewhere.png')
    lgd_mm.convert(tmp_path / 'set', tmp_path / 'out')
    assert Image.open(tmp_path / 'out/train/nut/4.jpg').size == (64, 64)
    assert not (tmp_path / 'out/train/nut/4.jpg').is_symlink()
    (tmp_path / 'set/train/nut/5.jpg').symlink_to(tmp_path / 'secret')
    with pytest.raises(UserError, match=r'5.jpg is a link to .*secret, which lies outside .* and is no image: remove'):
        lgd_mm.convert(tmp_path / 'set', tmp_path / 'other')
    assert not (tmp_path / 'other').exists()


@pytest.mark.real_data
def test_real_images_of_coco(tmp_path, data_dir):
    """Nothing is lost of 1,520 objects, of which some are crowds: pycocotools has the same boxes, areas and pixels."""
    lgd_mm.convert(data_dir / 'coco', tmp_path / 'out')
    for split in ('train', 'val'):
        old = COCO(str(data_dir / f'coco/annotations/instances_{split}2017.json'))
        new = COCO(str(tmp_path / f'out/annotations/{split}.json'))
        assert described(old, pixels=False) == described(new, pixels=False)
        few = [item['file_name'] for item in list(old.imgs.values())[:8]]
        assert described(old, few) == described(new, few)


def described(coco, names=None, pixels=True):
    """Objects by image and class, in no order."""
    found = Counter()
    for item in coco.anns.values():
        image = coco.imgs[item['image_id']]['file_name']
        if names is None or image in names:
            mask = coco.annToMask(item).tobytes() if pixels else b''
            box = tuple(map(float, item['bbox']))
            found[image, coco.cats[item['category_id']]['name'], box, float(item['area']), item['iscrowd'], mask] += 1
    return found
