"""Networks as a fine-tuning leaves them, with random weights: what they find is no less to be measured."""

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config, DictAction
from mmengine.registry import MODELS, DefaultScope

from lgd_mm.api.finetuning import TASKS, use_data
from lgd_mm.api.overrides import apply_overrides
from lgd_mm.io.files import save_torch
from tests.own_sets import CLASSES, DETECTOR, SEGMENTER, write_coco_set, write_masks
from tests.test_api.conftest import SLIM
from tests.tiny import ROOT

#: Few proposals, and heads as narrow as the backbone.
NARROW = ['model.test_cfg.rcnn.max_per_img=20', 'model.neck.out_channels=16', 'model.rpn_head.in_channels=16',
          'model.rpn_head.feat_channels=16', 'model.roi_head.bbox_roi_extractor.out_channels=16',
          'model.roi_head.bbox_head.in_channels=16', 'model.roi_head.bbox_head.fc_out_channels=32',
          'model.roi_head.mask_roi_extractor.out_channels=16', 'model.roi_head.mask_head.in_channels=16',
          'model.roi_head.mask_head.conv_out_channels=16']
CLASSIFIER = [*(f'{key}={value}' for key, value in SLIM.items()), 'model.head.in_channels=64',
              'val_dataloader.num_workers=0', 'test_dataloader.num_workers=0',
              'val_dataloader.persistent_workers=False', 'test_dataloader.persistent_workers=False']


def write_run(folder: Path, task: str, data: Path, options: Sequence[str], gain: float = 1) -> Path:
    """The folder of a run: its config and a checkpoint.

    Args:
        folder (Path): New.
        task (str): As of finetune().
        data (Path): That it was trained with.
        options (Sequence[str]): ``KEY=VALUE``.
        gain (float): Of the last layer's weights.
    """
    cfg = Config.fromfile(ROOT / 'configs' / TASKS[task])
    use_data(cfg, task, str(data))
    apply_overrides(cfg, {key: DictAction._parse_iterable(value)
                          for key, _, value in (option.partition('=') for option in options)})
    if 'norm_cfg' in cfg.model.backbone:
        cfg.model.backbone.norm_cfg = dict(type='BN')
    folder.mkdir(parents=True)
    cfg.dump(folder / 'resolved_config.py')
    torch.manual_seed(3)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        network = dict(cfg.model)
        if cfg.get('data_preprocessor'):
            network.setdefault('data_preprocessor', cfg.data_preprocessor)
        model = MODELS.build(network)
    for name, weights in model.named_parameters():
        if name.endswith(('fc_cls.weight', 'head.fc.weight', 'conv_seg.weight')):
            weights.data.normal_(std=gain)
    if task == 'classification':  # as far from each class for the mean of all colours
        colours = torch.rand(64, 3, 1, 1).mul(4).sub(2).expand(-1, -1, 32, 32)
        with torch.no_grad():
            model.head.fc.bias.copy_(-model.head.fc(model.eval().extract_feat(colours)[-1]).mean(dim=0))
    metainfo = cfg.test_dataloader.dataset.metainfo
    meta = dict(cfg=cfg.pretty_text, dataset_meta=dict(metainfo.to_dict()), epoch=1, iter=1)
    save_torch(folder / 'epoch_1.pth', dict(meta=meta, state_dict=model.state_dict()))
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_1.pth'))
    return folder


@pytest.fixture(scope='session')
def coco_set(tmp_path_factory) -> Path:
    """Five images to test with, of several sizes."""
    root = write_coco_set(tmp_path_factory.mktemp('coco'), masks=True, val=5)
    file = root / 'annotations/val.json'
    content = json.loads(file.read_text())
    rng = np.random.default_rng(0)
    for image in content['images']:
        image['id'] = 100 - 7 * image['id']
        image['width'], image['height'] = 64 + 16 * (image['id'] % 2), 64
        cv2.imwrite(str(root / 'val' / image['file_name']),
                    rng.integers(0, 255, (image['height'], image['width'], 3), np.uint8))
    for item in content['annotations']:
        item['image_id'] = 100 - 7 * item['image_id']
    file.write_text(json.dumps(content))
    return root


@pytest.fixture(scope='session')
def detector(coco_set, tmp_path_factory) -> Path:
    """Mask R-CNN."""
    return write_run(tmp_path_factory.mktemp('runs') / 'detector', 'instance-segmentation', coco_set,
                     [*DETECTOR, *NARROW], gain=0.2)


@pytest.fixture(scope='session')
def mask_set(tmp_path_factory) -> Path:
    """Three images to test with."""
    return write_masks(tmp_path_factory.mktemp('masks'), 'images/{split}', 'masks/{split}', val=3)


@pytest.fixture(scope='session')
def segmentor(mask_set, tmp_path_factory) -> Path:
    """UPerNet."""
    return write_run(tmp_path_factory.mktemp('runs') / 'segmentor', 'segmentation', mask_set, SEGMENTER, gain=1)


@pytest.fixture(scope='session')
def class_set(tmp_path_factory) -> Path:
    """Three classes of four images to test with."""
    root = tmp_path_factory.mktemp('classes')
    rng = np.random.default_rng(0)
    for split in ('train', 'val'):
        for name in CLASSES:
            (root / split / name).mkdir(parents=True)
            for index in range(4):
                image = np.full((40, 50, 3), rng.integers(0, 255, 3), np.uint8)
                image[rng.integers(40):] = rng.integers(0, 255, 3)
                cv2.imwrite(str(root / split / name / f'{index}.png'), image)
    return root


@pytest.fixture(scope='session')
def classifier(class_set, tmp_path_factory) -> Path:
    """A fine-tuned ResNet."""
    return write_run(tmp_path_factory.mktemp('runs') / 'classifier', 'classification', class_set, CLASSIFIER, gain=30)
