"""A classifier that trains in a second, for what all scopes share."""

import runpy
import sys
from pathlib import Path

import pytest

from tests.isolation import forget_runs
from tests.tiny import ROOT, write_images

BACKBONE = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8)
CONFIG = """
default_scope = 'mmpretrain'
custom_imports = dict(imports=['lgd_mm'], allow_failed_imports=False)
model = dict(
    type='ImageClassifier',
    backbone={backbone},
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=2, in_channels=64, loss=dict(type='CrossEntropyLoss')),
    data_preprocessor=dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True))
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='CustomDataset',
        data_root={root!r},
        pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')]))
test_dataloader = dict(
    batch_size=4,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=train_dataloader['dataset'])
test_evaluator = dict(type='Accuracy')
test_cfg = dict()
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=1)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01))
default_hooks = dict(checkpoint=dict(type='CheckpointHook', interval=1), logger=dict(type='LoggerHook', interval=1))
randomness = dict(seed=0)
"""


@pytest.fixture
def tool(monkeypatch, capfd):
    """Runs one of ``tools/`` with its arguments in this process, which spares the seconds of a start; returns what it
    printed."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv('LOCAL_RANK', '0')  # the tools set it

    def run(script, *arguments):
        forget_runs()
        monkeypatch.setattr(sys, 'argv', [script, *map(str, arguments)])
        runpy.run_path(str(ROOT / script), run_name='__main__')
        return capfd.readouterr().out

    return run


@pytest.fixture(scope='session')
def pictures(tmp_path_factory) -> Path:
    """Twelve images in two folders, which are their classes."""
    folder = tmp_path_factory.mktemp('classes')
    write_images(folder, 12, size=32)
    return folder


@pytest.fixture(scope='session')
def classifier(tmp_path_factory, pictures) -> str:
    """Its config file."""
    path = tmp_path_factory.mktemp('classifier') / 'tiny_classifier.py'
    path.write_text(CONFIG.format(backbone=BACKBONE, root=str(pictures)))
    return str(path)


@pytest.fixture(scope='session')
def trained(tmp_path_factory, classifier) -> Path:
    """Its work dir after one epoch."""
    from lgd_mm.engine.launch import train
    folder = tmp_path_factory.mktemp('trained') / 'run'
    train(classifier, work_dir=str(folder))
    return folder
