"""A user's own data set in configs that know nothing of it."""

import json
import shutil
import unicodedata
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope
from PIL import Image

import lgd_mm  # noqa: F401 - makes mmdet:: and mmseg:: configs readable
from lgd_mm.datasets.of_config import innermost
from lgd_mm.errors import UserError
from lgd_mm.own_data.coco_categories import read_categories
from lgd_mm.own_data.config import use_own_data
from tests.own_sets import CLASSES, write_coco_set, write_image, write_masks
from tests.tiny import ROOT

LAYOUTS = {
    'images/{split}': ('masks/{split}', '.png'),
    'img_dir/{split}': ('ann_dir/{split}', '_mask.png'),
    '{split}': ('{split}annot', '.png'),
}


def config(name):
    return Config.fromfile(ROOT / 'configs' / name)


def counts(node):
    """Every ``num_classes``."""
    if isinstance(node, dict):
        return [value for key, value in node.items() if key == 'num_classes'] + sum(map(counts, node.values()), [])
    return sum(map(counts, node), []) if isinstance(node, (list, tuple)) else []


@pytest.mark.parametrize('name, heads, metric', [
    ('coco/faster-rcnn_r18_fpn_1x_coco.py', 1, ['bbox']),
    ('coco/mask-rcnn_r18_fpn_1x_coco.py', 2, ['bbox', 'segm']),
    ('coco/retinanet_r18_fpn_1x_coco.py', 1, ['bbox']),
    ('coco/atss_mobilenetv2_fpn_1x_coco.py', 1, ['bbox']),
    ('coco/rtmdet_tiny_r18_300e_coco.py', 1, ['bbox']),
    ('coco/rtmdet-ins_s_cspnext-s_300e_coco.py', 1, ['bbox', 'segm']),
    ('lvis/mask-rcnn_r18_fpn_1x_lvis-v1.py', 2, ['bbox', 'segm']),
])
def test_detection(tmp_path, name, heads, metric):
    root = write_coco_set(tmp_path / 'set', masks='segm' in metric)
    cfg = config(name)
    line = str(use_own_data(cfg, str(root)))
    assert '4 images to train and 2 to test with, 3 classes: nut, bolt, washer' in line
    assert counts(cfg.model) == [3] * heads
    assert cfg.val_dataloader.dataset.type == cfg.test_dataloader.dataset.type == 'CocoDataset'
    assert cfg.val_evaluator.metric == cfg.test_evaluator.metric == metric
    assert cfg.test_evaluator.type == 'CocoMetric' and cfg.test_evaluator.ann_file.endswith('annotations/val.json')

    init_default_scope('mmdet')
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert len(dataset) == 4 and dataset.metainfo['classes'] == CLASSES
    assert [dataset.get_data_info(index)['instances'][0]['bbox_label'] for index in range(4)] == [0, 1, 2, 0]
    assert dataset.get_data_info(1)['instances'][0]['bbox'] == [16, 16, 40, 40]


@pytest.mark.parametrize('name', ['rtmdet_tiny_cspnext-tiny', 'rtmdet-ins_tiny_mobilenetv2'])
def test_mosaics_of_ones_own_images(tmp_path, name):
    """Both stages of RTMDet's training, of fewer images than a mosaic has; labels and masks go along."""
    cfg = config(f'coco/{name}_300e_coco.py')
    use_own_data(cfg, str(write_coco_set(tmp_path / 'set', masks=True, train=3)))
    init_default_scope('mmdet')
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    first = [dataset[index % 3] for index in range(8)]  # the cache fills
    dataset.pipeline = Compose(cfg.custom_hooks[1].switch_pipeline)
    for item in [*first, *(dataset[index] for index in range(3))]:
        objects = item['data_samples'].gt_instances
        assert item['inputs'].shape == (3, 640, 640) and set(objects.labels.tolist()) <= {0, 1, 2}
        assert 'ins' not in name or len(objects.masks) == len(objects)
    assert max(len(item['data_samples'].gt_instances) for item in first) > 1



@pytest.mark.parametrize('images', LAYOUTS)
@pytest.mark.parametrize('name', ['upernet_r18_80k', 'sem-fpn_mobilenetv2_160k', 'segformer_r18_160k'])
def test_segmentation(tmp_path, images, name):
    masks, suffix = LAYOUTS[images]
    root = write_masks(tmp_path / 'set', images, masks, suffix)
    cfg = config(f'ade20k/{name}_ade20k-512x512.py')
    assert '4 images to train and 2 to test with, 4 classes: ground, nut' in str(use_own_data(cfg, str(root)))
    assert set(counts(cfg.model)) == {4}
    init_default_scope('mmseg')
    for loader, length in (('train', 4), ('test', 2)):
        dataset = DATASETS.build({**cfg[f'{loader}_dataloader'].dataset, 'pipeline': [
            dict(type='LoadImageFromFile'), *(step for step in cfg[f'{loader}_dataloader'].dataset.pipeline
                                              if step['type'] == 'LoadAnnotations')]})
        assert len(dataset) == length and dataset.metainfo['classes'] == ('ground', *CLASSES)
        assert len({tuple(colour) for colour in dataset.metainfo['palette']}) == 4
        labels = dataset[1]['gt_seg_map']
        assert set(np.unique(labels)) == {0, 2, 255}, 'labels are taken as they are'


def _as_roboflow(root):
    """As roboflow.com exports a set."""
    (root / 'val').rename(root / 'valid')
    for split, folder in (('train', 'train'), ('val', 'valid')):
        (root / f'annotations/{split}.json').rename(root / folder / '_annotations.coco.json')
    (root / 'annotations').rmdir()


@pytest.mark.parametrize('change, message', [
    (lambda root: (root / 'annotations/val.json').unlink(), 'annotations has no val.json and 0 files instances_val'),
    (lambda root: (root / 'train').rename(root / 'away'), '000.jpg, the first image of .*train.json, lies in none'),
    (lambda root: _edit(root, lambda c: c['categories'].pop()), "must have the same categories .* differ in 'washer'"),
    (lambda root: _edit(root, lambda c: c['categories'].reverse()), 'differ in the order'),
    (lambda root: _edit(root, lambda c: c['categories'].append(dict(id=9, name='nut'))),
     "two categories of the name 'nut'"),
    (lambda root: _edit(root, lambda c: c.pop('images')), 'no annotation file in COCO format: it has no lists'),
    (lambda root: _edit(root, lambda c: c['categories'].append(dict(id=20, name='screw'))),
     'two categories of the id 20'),
    (lambda root: _edit(root, lambda c: c['categories'][1].pop('id')), r'val.json has no "id" in categories\[1\]'),
    (lambda root: _edit(root, lambda c: c.update(categories=['nut'])), r'has no "id" in categories\[0\]'),
    (lambda root: _edit(root, lambda c: c['categories'][1].update(id=20.5)),
     r'val.json has in categories\[1\] the id 20.5, not a whole number'),
    (lambda root: _edit(root, lambda c: c['categories'][1].update(id=True)), r'categories\[1\] the id True, not a'),
    (lambda root: _edit(root, lambda c: c['categories'][1].update(name=5)), r'has no "name" in categories\[1\]'),
    (lambda root: _edit(root, lambda c: c.update(categories=[])), 'val.json has an empty "categories" list: add'),
    (lambda root: _edit(root, lambda c: c['images'][1].pop('file_name')),
     r'val.json: image 2 has no "file_name": correct or remove them'),
    (lambda root: _edit(root, lambda c: c.update(images=[])), 'val.json names no images'),
    (lambda root: (root / 'annotations/val.json').write_text(''), 'val.json has no "categories" list'),
    (lambda root: (root / 'annotations/val.json').write_text('{\n// none\n}'), r'val.json is no valid JSON \(.*line 2'),
    (lambda root: _edit(root, lambda c: c.update(annotations=None)), 'it has no lists "images" and "annotations"'),
    (lambda root: _edit(root, lambda c: c.update(annotations=[])), 'val.json: no object is left to test with: the'),
    (lambda root: _edit(root, lambda c: c['annotations'][1].update(id=1)), 'val.json: annotation 1 is there twice'),
    (lambda root: _edit(root, lambda c: c['images'][1].update(width=48)),
     'val.json: image 2 is 64 x 64 as read, the file says 48 x 64'),
    (lambda root: (root / 'annotations').rename(root / 'labels'),
     r'no folder annotations: copy the files of COCO format to annotations/train.json'),
    (_as_roboflow, r'no folder annotations \(there are train/_annotations.coco.json, valid/_annotations.coco.json\)'),
])
def test_mistakes_of_detection_sets(tmp_path, change, message):
    root = write_coco_set(tmp_path)
    change(root)
    with pytest.raises(UserError, match=message):
        use_own_data(config('coco/faster-rcnn_r18_fpn_1x_coco.py'), str(root))


@pytest.mark.parametrize('change', [
    lambda content: content['categories'][-1].update(supercategory='categories'),
    lambda content: [image.update(categories=[dict(id=7, name='outdoor')]) for image in content['images']],
    lambda content: content.update(images=content.pop('images')),
], ids=['value', 'of images', 'not at the end'])
def test_which_categories_are_the_files(tmp_path, change):
    """Those of its outermost level, wherever else the word stands."""
    root = write_coco_set(tmp_path)
    for split in ('train', 'val'):
        path = root / f'annotations/{split}.json'
        content = json.loads(path.read_text())
        content = dict(categories=content.pop('categories'), **content)
        change(content)
        path.write_text(json.dumps(content, indent=1))
    assert [category['name'] for category in read_categories(path)] == list(CLASSES)
    assert '3 classes: nut, bolt, washer' in str(use_own_data(config('coco/faster-rcnn_r18_fpn_1x_coco.py'), str(root)))


def _edit(root, change):
    path = root / 'annotations/val.json'
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_masks_that_are_not_there(tmp_path):
    root = write_coco_set(tmp_path, masks=True)
    use_own_data(config('coco/mask-rcnn_r18_fpn_1x_coco.py'), str(root))
    _edit(root, lambda content: content['annotations'][1].update(segmentation=[]))
    for name in ('mask-rcnn_r18_fpn_1x', 'rtmdet-ins_tiny_r18_300e'):
        with pytest.raises(UserError, match=f'objects without masks, which .*{name}.* take a config without'):
            use_own_data(config(f'coco/{name}_coco.py'), str(root))


def _fill(root, split, label, kind=np.uint8):
    for path in (root / 'masks' / split).iterdir():
        cv2.imwrite(str(path), np.full((64, 64), label, kind))


def _cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def _spell(root, name):
    """An image with the letter, its mask with a letter and an accent."""
    (root / 'images/train/003.jpg').rename(root / 'images/train' / f'{name}.jpg')
    (root / 'masks/train/003.png').rename(root / 'masks/train' / f'{unicodedata.normalize("NFD", name)}.png')


def _turn(root, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    for path in (root / 'images/train').iterdir():
        Image.open(path).save(path, exif=exif)


@pytest.mark.parametrize('change, message', [
    (lambda root: (root / 'classes.txt').unlink(), 'classes.txt is missing: write the name of each class'),
    (lambda root: (root / 'classes.txt').write_text('a\na\n'), 'must hold different names'),
    (lambda root: (root / 'classes.txt').write_text('a\n\nb\n'), 'no empty line'),
    (lambda root: (root / 'classes.txt').write_bytes(b'\xff\n'), 'not UTF-8'),
    (lambda root: (root / 'classes.txt').write_text('a\n'), 'has one name: segmentation needs two'),
    (lambda root: (root / 'masks/train/002.png').unlink(), '1 of 4 images in .* have no mask in .*, such as 002.png'),
    (lambda root: shutil.copy(root / 'images/train/003.jpg', root / 'images/train/003.JPG'),
     '003.JPG and 003.jpg differ in their ending alone'),
    (lambda root: (root / 'masks/train/001.png').rename(root / 'masks/train/001.jpg'), 'such as 001.png'),
    (lambda root: [path.rename(path.with_suffix('.jpg')) for path in (root / 'masks/train').iterdir()],
     r'masks/train has no masks \(.png\), only such as 000.jpg: save them as .png'),
    (lambda root: Image.open(root / 'masks/train/001.png').save(root / 'masks/train/001.png', format='JPEG'),
     '001.png is a JPEG, which keeps no exact numbers'),
    (lambda root: _spell(root, 'é'), 'such as é.png, but one whose name has other letters of Unicode'),
    (lambda root: (root / 'classes.txt').write_text('\n'.join(map(str, range(256)))),
     'classes.txt has 256 names, and mmseg knows 255 classes'),
    (lambda root: (root / 'images/val').rename(root / 'images/other'), 'no folder images/val: see docs/own_data.md'),
    (lambda root: cv2.imwrite(str(root / 'masks/train/000.png'), np.zeros((4, 4, 3), np.uint8)),
     'image of colours'),
    (lambda root: cv2.imwrite(str(root / 'masks/train/003.png'), np.zeros((64, 64, 3), np.uint8)),
     r'masks/train/003.png is an image of colours \(RGB\)'),
    (lambda root: cv2.imwrite(str(root / 'masks/val/001.png'), np.zeros((64, 64, 4), np.uint8)),
     r'masks/val/001.png is an image of colours \(RGBA\)'),
    (lambda root: _fill(root, 'val', 257, np.uint16), 'masks/val/000.png has the label 257, .* label 257 is no class'),
    (lambda root: _fill(root, 'train', 65535, np.uint16), 'masks/train/000.png .* label 65535 is no class'),
    (lambda root: _fill(root, 'train', 7), 'masks/train/000.png has the label 7, but there are 4 classes'),
    (lambda root: _fill(root, 'train', 255),
     r'masks/train: no mask has label 0 \(ground\), .* \(washer\); 255 is ignored: each'),
    (lambda root: _fill(root, 'train', 3),
     r'masks/train: no mask has label 0 \(ground\), 1 \(nut\), 2 \(bolt\): each'),
    (lambda root: cv2.imwrite(str(root / 'masks/train/002.png'), np.zeros((64, 48), np.uint8)),
     'mask .*train/002.png is 48 x 64, and its image .*train/002.jpg is 64 x 64 as read: make them of one size'),
    (lambda root: (root / 'masks/train/002.png').write_bytes(b'no mask'), '002.png cannot be decoded .*: replace'),
    (lambda root: _cut(root / 'masks/train/000.png'), 'mask .*000.png cannot be decoded .*: replace it'),
    (lambda root: _turn(root, 3),
     'images/train/000.jpg is turned by its EXIF orientation 3 .* the masks in .*masks/train lie'),
    (lambda root: _turn(root, 6),
     'images/train/000.jpg is turned by its EXIF orientation 6 .* the masks in .*masks/train lie'),
])
def test_mistakes_of_segmentation_sets(tmp_path, change, message):
    root = write_masks(tmp_path, 'images/{split}', 'masks/{split}')
    change(root)
    with pytest.raises(UserError, match=message):
        use_own_data(config('ade20k/upernet_r18_80k_ade20k-512x512.py'), str(root))


def test_files_that_are_passed_over(tmp_path, capsys):
    """What macOS and notebooks leave behind; masks without an image and classes without a mask are told."""
    root = write_masks(tmp_path, 'images/{split}', 'masks/{split}')
    for name in ('images/train/._000.jpg', 'images/train/Thumbs.db', 'masks/train/._000.png', 'masks/train/.DS_Store',
                 'images/val/.ipynb_checkpoints/000-checkpoint.jpg'):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b'hidden')
    (root / 'images/train/001.jpg').unlink()
    cfg = config('ade20k/upernet_r18_80k_ade20k-512x512.py')
    assert '3 images to train and 2 to test with' in str(use_own_data(cfg, str(root)))
    told = capsys.readouterr().out
    assert f'{root}/masks/train: masks without an image: 1' in told
    assert f'{root}/masks/val: no mask has label 3 (washer); 255 is ignored' in told
    assert [Path(path).name for path, _ in pairs(cfg, 'train')] == ['000.jpg', '002.jpg', '003.jpg']
    assert [Path(path).name for path, _ in pairs(cfg, 'val')] == ['000.jpg', '001.jpg']


def test_endings_of_images_and_masks(tmp_path):
    """Cameras write capitals, and collections are mixed."""
    root = write_masks(tmp_path, 'images/{split}', 'masks/{split}', '_mask.png')
    for old, new in (('images/train/001.jpg', 'images/train/b.c.JPG'), ('images/val/000.jpg', 'images/val/000.png'),
                     ('masks/train/001_mask.png', 'masks/train/b.c_mask.PNG'),
                     ('images/train/002.jpg', 'images/train/002.jpeg')):
        (root / old).rename(root / new)
    cfg = config('ade20k/upernet_r18_80k_ade20k-512x512.py')
    use_own_data(cfg, str(root))
    assert [[Path(path).name for path in pair] for pair in pairs(cfg, 'train')] == [
        ['000.jpg', '000_mask.png'], ['002.jpeg', '002_mask.png'], ['003.jpg', '003_mask.png'],
        ['b.c.JPG', 'b.c_mask.PNG']]
    assert [Path(path).name for path, _ in pairs(cfg, 'val')] == ['000.png', '001.jpg']
    assert 'lgd_mm.lean_mmseg' in cfg.custom_imports.imports


def pairs(cfg, split):
    """Images and masks as a run lists them."""
    init_default_scope('mmseg')
    dataset = DATASETS.build({**cfg[f'{split}_dataloader'].dataset, 'pipeline': []})
    found = [dataset.get_data_info(index) for index in range(len(dataset))]
    return [(info['img_path'], info['seg_map_path']) for info in found]


def test_configs_that_cannot_take_it(tmp_path):
    with pytest.raises(UserError, match='r18_pretrain.py is of another kind: a pre-training reads train_dataloader'):
        use_own_data(config('lgd/r18_pretrain.py'), str(tmp_path))
    with pytest.raises(UserError, match='model.decode_head.loss_decode.class_weight has 9 weights, .* 4 classes'):
        use_own_data(config('shapes/upernet_r18-slim_shapes.py'),
                     str(write_masks(tmp_path, 'images/{split}', 'masks/{split}')))


@pytest.mark.parametrize('name, loaders', [
    ('finetune_r18_folder', 3), ('linear_mobilenetv2_imagenet', 3), ('knn_r18_folder', 2), ('finetune_r18_imagenet', 3),
    ('zero-shot_r18_imagenet', 1), ('knn_r18_folder-outliers', 2), ('linear_r18_imagenet-corrupted', 3),
])
def test_classification(tmp_path, name, loaders):
    for index, path in enumerate(('train/nut', 'train/bolt', 'train/nut', 'val/bolt', 'val/nut')):
        write_image(tmp_path / 'set' / path / f'{index}.jpg', index)
    cfg = config(f'classification/{name}.py')
    line = str(use_own_data(cfg, str(tmp_path / 'set')))
    assert '3 images to train and 2 to test with, 2 classes: bolt, nut' in line
    assert set(counts(cfg.model)) <= {2} and cfg.model.get('categories') in (None, ['bolt', 'nut'])
    sets = {split: cfg[f'{split}_dataloader'].dataset for split in ('train', 'val', 'test')
            if cfg.get(f'{split}_dataloader')}
    assert len(sets) >= loaders
    for split, dataset in sets.items():
        built = DATASETS.build(dict(innermost(dataset), pipeline=[]))
        assert built.CLASSES == ['bolt', 'nut'] and len(built) == (3 if split == 'train' else 2)
    if 'corrupted' in name:
        assert sets['test'].type == 'lgd_mm.CorruptedImages' and cfg.test_evaluator.metric[0].topk == (1, )
    if 'outliers' in name:
        assert sets['val'].datasets[1].data_root == 'data/outliers/'


def test_corrupted_images_of_ones_own(tmp_path):
    """The wrapper stays, and each corruption is measured for itself: pooled, images would count many times."""
    root = write_coco_set(tmp_path / 'set')
    cfg = config('coco/faster-rcnn_r18_fpn_1x_coco-corrupted.py')
    use_own_data(cfg, str(root))
    assert cfg.test_dataloader.dataset.type == 'lgd_mm.CorruptedImages'
    assert cfg.test_dataloader.dataset.dataset.ann_file.endswith('annotations/val.json')
    assert cfg.test_evaluator.type == 'lgd_mm.CorruptionMetric' and cfg.val_evaluator.type == 'CocoMetric'
    assert cfg.test_evaluator.metric.ann_file == cfg.val_evaluator.ann_file
    init_default_scope('mmdet')
    assert len(DATASETS.build(cfg.test_dataloader.dataset)) == 76 * 2

    masks = config('ade20k/upernet_r18_80k_ade20k-512x512-corrupted.py')
    use_own_data(masks, str(write_masks(tmp_path / 'set2', 'images/{split}', 'masks/{split}')))
    assert masks.test_dataloader.dataset.dataset.type == 'lgd_mm.PicturesAndMasks'
