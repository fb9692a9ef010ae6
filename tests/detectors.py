"""Images and slim detectors, of which regions are extracted."""

import json

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import MODELS

from lgd_mm.datasets.regions import RegionStore
from lgd_mm.engine.regions import RegionExtractor
from tests.tiny import ROOT

SIZES = [(96, 64), (64, 96), (50, 50), (120, 40), (33, 77)]  # width, height
CLASSES = ['nut', 'bolt', 'washer']


def write_images_of_shapes(root):
    """Images of different shapes in COCO's form; most have no object, as regions are of all."""
    (root / 'images/sub').mkdir(parents=True)
    rng = np.random.default_rng(0)
    images = []
    for number, (width, height) in enumerate(SIZES):
        name = f'sub/{number}.png' if number % 2 else f'{number}.png'
        coarse = rng.integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
        cv2.imwrite(str(root / 'images' / name), cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
        images.append(dict(id=number + 1, file_name=name, width=width, height=height))
    objects = [dict(id=1, image_id=1, category_id=1, bbox=[4, 4, 9, 9], area=81, iscrowd=0)]
    categories = [dict(id=number + 1, name=name) for number, name in enumerate(CLASSES)]
    (root / 'set.json').write_text(json.dumps(dict(images=images, annotations=objects, categories=categories)))
    return root


def write_detector(folder, data, seed=0, name='detector', scale=(64, 64), keep_ratio=True, base='mask-rcnn', **model):
    """A slim detector with random weights that tell classes apart; its config and checkpoint."""
    folder.mkdir(exist_ok=True)
    settings = dict(
        classes=tuple(CLASSES), data_root=f'{data}/',
        model=dict(backbone=dict(stem_channels=8, base_channels=8, norm_cfg=dict(type='BN')),
                   neck=dict(in_channels=[8, 16, 32, 64], out_channels=16),
                   rpn_head=dict(in_channels=16, feat_channels=16, anchor_generator=dict(scales=[2])),
                   roi_head=dict(bbox_roi_extractor=dict(out_channels=16),
                                 bbox_head=dict(in_channels=16, fc_out_channels=24, num_classes=3),
                                 **(dict(mask_roi_extractor=dict(out_channels=16),
                                         mask_head=dict(in_channels=16, conv_out_channels=8, num_convs=1,
                                                        num_classes=3)) if base == 'mask-rcnn' else {})),
                   test_cfg=dict(rpn=dict(nms_pre=100, max_per_img=40), rcnn=dict(score_thr=0.24)), **model))
    pipeline = [dict(type='LoadImageFromFile'), dict(type='Resize', scale=scale, keep_ratio=keep_ratio),
                dict(type='LoadAnnotations', with_bbox=True),
                dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor'))]
    loader = dict(batch_size=2, num_workers=0, persistent_workers=False, dataset=dict(
        data_root=f'{data}/', ann_file='set.json', data_prefix=dict(img='images/'),
        metainfo=dict(classes=tuple(CLASSES)), pipeline=pipeline))
    config = folder / f'{name}.py'
    config.write_text(f'_base_ = {str(ROOT / f"configs/coco/{base}_r18_fpn_1x_coco.py")!r}\n'
                      f'model = {settings["model"]!r}\nval_dataloader = {loader!r}\ntest_dataloader = val_dataloader\n'
                      f'train_dataloader = {loader!r}\n'
                      f"test_evaluator = dict(ann_file='{data}/set.json')\nval_evaluator = test_evaluator\n")
    detector = built(config, seed)
    for layer in (detector.roi_head.bbox_head.fc_cls, detector.roi_head.bbox_head.fc_reg):
        layer.weight.data *= 3
    checkpoint = folder / f'{name}.pth'
    torch.save(dict(meta=dict(dataset_meta=dict(classes=CLASSES)), state_dict=detector.state_dict()), checkpoint)
    return config, checkpoint


def built(config, seed=0):
    torch.manual_seed(seed)
    return MODELS.build(Config.fromfile(config).model).eval()


def extract(files, out, **options):
    """The store that a config and a checkpoint, or a config alone, give."""
    config, checkpoint = (file and str(file) for file in files)
    RegionExtractor(config, checkpoint, str(out), **options).extract()
    return RegionStore(out)
