"""A student in its pre-training's checkpoint, and labelled images for it."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from lgd_mm.registry import MODELS
from tests.tiny import lgd_model, write_tiny_teacher

CLASSES = ['bicycle', 'cat', 'dog', 'tree']
CONFIG = """
default_scope = 'mmpretrain'
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(
    type='lgd_mm.LinearProbe',
    backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8),
    head=dict(type='LinearClsHead', num_classes=4))
train_dataloader = dict(
    batch_size=8,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CustomDataset',
        data_root={root!r},
        data_prefix='train',
        pipeline=[dict(type='LoadImageFromFile'), dict(type='RandomResizedCrop', scale=8), dict(type='PackInputs')]))
test_dataloader = dict(
    batch_size=7,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CustomDataset',
        data_root={root!r},
        data_prefix='val',
        metainfo=dict(classes={classes!r}),
        pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')]))
test_evaluator = dict(type='Accuracy')
test_cfg = dict()
"""


@pytest.fixture(autouse=True)
def scope():
    """The tool leaves its config's default scope behind."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


@pytest.fixture(scope='session')
def folder(tmp_path_factory):
    """Ten images of each class to train, five to test with: noise around a colour."""
    folder, rng = tmp_path_factory.mktemp('labelled'), np.random.default_rng(0)
    for split, count in (('train', 10), ('val', 5)):
        for name in CLASSES:
            colour = np.array([60, 180]) @ (np.arange(3) == CLASSES.index(name) % 3)[None].repeat(2, 0) / 2 + 60
            (folder / split / name).mkdir(parents=True)
            for index in range(count):
                noise = rng.normal(colour, 20 + 30 * (name == 'tree'), (32, 32, 3))
                cv2.imwrite(str(folder / split / name / f'{index}.png'), noise.clip(0, 255).astype(np.uint8))
    return folder


@pytest.fixture(scope='session')
def config(folder):
    """A linear probe on them."""
    path = folder / 'tiny_probe.py'
    path.write_text(CONFIG.format(root=str(folder), classes=CLASSES))
    return str(path)


@pytest.fixture(scope='session')
def teacher(tmp_path_factory):
    return write_tiny_teacher(tmp_path_factory.mktemp('teacher'))


@pytest.fixture(scope='session')
def lgd(teacher):
    """A pre-trained model; its embeddings lie around zero, so that they point into all directions."""
    torch.manual_seed(0)
    model = MODELS.build(lgd_model(teacher)).eval()
    colours = torch.randn(16, 3, 1, 1).expand(-1, -1, 32, 32)
    with torch.no_grad():
        model.neck.mlp[2].bias -= model.embed(colours).mean(dim=0)
    return model


@pytest.fixture(scope='session')
def checkpoint(tmp_path_factory, lgd, teacher):
    """As CheckpointHook writes it."""
    path = tmp_path_factory.mktemp('pretrain') / 'epoch_1.pth'
    meta = dict(cfg=Config(dict(model=lgd_model(teacher))).pretty_text, iter=1)
    torch.save(dict(meta=meta, state_dict=lgd.state_dict()), path)
    return str(path)
