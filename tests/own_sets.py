"""Small data sets of a user's own, in the layouts that other projects write."""

import json
from pathlib import Path

import cv2
import numpy as np

CLASSES = ('nut', 'bolt', 'washer')

#: Options with which two configs train in seconds.
SLIM = ['model.backbone.stem_channels=8', 'model.backbone.base_channels=8']
DETECTOR = [
    *SLIM, 'model.neck.in_channels=[8,16,32,64]', 'train_cfg.max_epochs=1',
    'model.train_cfg.rpn_proposal.max_per_img=20', 'model.test_cfg.rpn.max_per_img=20',
    'model.roi_head.bbox_head.fc_out_channels=64',
    'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
    'val_dataloader.num_workers=0', 'val_dataloader.persistent_workers=False', 'test_dataloader.num_workers=0',
    'test_dataloader.persistent_workers=False', 'train_dataloader.dataset.pipeline.2.scale=(64,64)',
    'val_dataloader.dataset.pipeline.1.scale=(64,64)', 'test_dataloader.dataset.pipeline.1.scale=(64,64)'
]
SEGMENTER = [
    *SLIM, 'model.decode_head.in_channels=[8,16,32,64]', 'model.decode_head.channels=16',
    'model.auxiliary_head.in_channels=32', 'model.auxiliary_head.channels=16', 'model.data_preprocessor.size=(64,64)',
    'train_cfg.max_iters=2', 'train_cfg.val_interval=2', 'default_hooks.checkpoint.interval=2',
    'train_dataloader.batch_size=2', 'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
    'val_dataloader.num_workers=0', 'val_dataloader.persistent_workers=False', 'test_dataloader.num_workers=0',
    'test_dataloader.persistent_workers=False', 'train_dataloader.dataset.pipeline.2.scale=(64,64)',
    'train_dataloader.dataset.pipeline.3.crop_size=(64,64)', 'val_dataloader.dataset.pipeline.1.scale=(64,64)',
    'test_dataloader.dataset.pipeline.1.scale=(64,64)'
]
FASTER, UPERNET = 'configs/coco/faster-rcnn_r18_fpn_1x_coco.py', 'configs/ade20k/upernet_r18_80k_ade20k-512x512.py'


def write_image(path: Path, index: int, size: int = 64) -> Path:
    """A bright square on grey, at a place that follows the index."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((size, size, 3), 90, np.uint8)
    start = 8 + index % 4 * 8
    image[start:start + 24, 16:40] = (40, 200, 60 * (index % 3))
    cv2.imwrite(str(path), image)
    return path


def write_coco_set(root: Path, masks: bool = False, train: int = 4, val: int = 2) -> Path:
    """``annotations/{train,val}.json`` and ``{train,val}/*.jpg``."""
    for split, count in (('train', train), ('val', val)):
        images, objects = [], []
        for index in range(count):
            name = write_image(root / split / f'{index:03}.jpg', index).name
            top = 8 + index % 4 * 8
            images.append(dict(id=index + 1, file_name=name, width=64, height=64))
            outline = [[16, top, 40, top, 40, top + 24, 16, top + 24]]
            objects.append(dict(id=index + 1, image_id=index + 1, category_id=10 * (index % 3 + 1), area=576, iscrowd=0,
                                bbox=[16, top, 24, 24], **(dict(segmentation=outline) if masks else {})))
        categories = [dict(id=10 * (number + 1), name=name) for number, name in enumerate(CLASSES)]
        (root / 'annotations').mkdir(exist_ok=True)
        (root / 'annotations' / f'{split}.json').write_text(
            json.dumps(dict(images=images, annotations=objects, categories=categories)))
    return root


def write_voc_set(root: Path, count: int = 4) -> Path:
    """Pascal VOC: ``Annotations``, ``JPEGImages``, ``ImageSets/Main``."""
    names = [f'{index:06}' for index in range(count)]
    (root / 'Annotations').mkdir(parents=True)
    (root / 'ImageSets/Main').mkdir(parents=True)
    for index, name in enumerate(names):
        write_image(root / 'JPEGImages' / f'{name}.jpg', index)
        top = 9 + index % 4 * 8  # VOC counts pixels from 1
        (root / 'Annotations' / f'{name}.xml').write_text(
            f'<annotation><filename>{name}.jpg</filename><size><width>64</width><height>64</height><depth>3</depth>'
            f'</size><object><name>{CLASSES[index % 3]}</name><difficult>0</difficult><bndbox><xmin>17</xmin>'
            f'<ymin>{top}</ymin><xmax>40</xmax><ymax>{top + 23}</ymax></bndbox></object></annotation>')
    (root / 'ImageSets/Main/train.txt').write_text('\n'.join(names))
    (root / 'ImageSets/Main/val.txt').write_text('\n'.join(names[:3]))
    return root


def write_masks(root: Path, images: str, masks: str, suffix: str = '.png', train: int = 4, val: int = 2) -> Path:
    """Images and masks below folders with ``{split}`` in their names, and ``classes.txt``."""
    root.mkdir(parents=True, exist_ok=True)
    (root / 'classes.txt').write_text('ground\n' + '\n'.join(CLASSES) + '\n')
    for split, count in (('train', train), ('val', val)):
        for index in range(count):
            write_image(root / images.format(split=split) / f'{index:03}.jpg', index)
            mask = np.zeros((64, 64), np.uint8)
            top = 8 + index % 4 * 8
            mask[top:top + 24, 16:40] = index % 3 + 1
            mask[:2] = 255
            path = root / masks.format(split=split) / f'{index:03}{suffix}'
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), mask)
    return root
