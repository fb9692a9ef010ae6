"""A test of a classifier on corrupted images, as ``tools/test.py`` runs it."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from lgd_mm.engine import launch
from lgd_mm.engine.checks.preflight import check_data
from lgd_mm.errors import UserError
from lgd_mm.registry import MODELS
from tests.configs import read_config

MODEL = dict(type='lgd_mm.LinearProbe',
             backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8),
             head=dict(type='mmpretrain.LinearClsHead', num_classes=2))


@pytest.fixture
def config(tmp_path):
    """Noise around two colours; a checkpoint of a probe, and the config that inherits what a user would."""
    rng = np.random.default_rng(0)
    for label, name in enumerate(('cat', 'dog')):
        (tmp_path / 'val' / name).mkdir(parents=True)
        for index in range(6):
            cv2.imwrite(str(tmp_path / 'val' / name / f'{index}.png'),
                        rng.normal(80 + 60 * label, 60, (40, 40, 3)).clip(0, 255).astype(np.uint8))
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(MODEL).state_dict(), meta={}), tmp_path / 'epoch_1.pth')
    clean = dict(type='CustomDataset', data_root=str(tmp_path), data_prefix='val', pipeline=[
        dict(type='LoadImageFromFile'), dict(type='lgd_mm.Corrupt'), dict(type='PackInputs')])
    Config(dict(
        default_scope='mmpretrain', custom_imports=dict(imports=['lgd_mm'], allow_failed_imports=False), model=MODEL,
        data_preprocessor=dict(num_classes=2, mean=[120.] * 3, std=[60.] * 3, to_rgb=True), test_cfg=dict(),
        test_dataloader=dict(
            batch_size=5, num_workers=1, sampler=dict(type='DefaultSampler', shuffle=False),
            dataset=dict(
                type='lgd_mm.CorruptedImages', dataset=clean, corruptions=['fog', 'contrast'], severities=[5])),
        test_evaluator=dict(type='lgd_mm.CorruptionMetric', measures='accuracy/top1', metric=[
            dict(type='Accuracy'), dict(type='lgd_mm.CalibrationError')]))).dump(tmp_path / 'config.py')
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield tmp_path


def outcome(folder, **options):
    return launch.test(str(folder / 'config.py'), str(folder / 'epoch_1.pth'), str(folder / 'run'),
                       cfg_options=options)


def test_means_are_those_of_tests_of_one_corruption(config):
    both = outcome(config)
    alone = [outcome(config, **{'test_dataloader.dataset.corruptions': [name]}) for name in ('fog', 'contrast')]
    assert {each['accuracy/top1'] for each in alone} == {both['accuracy/top1']}
    means = [each['corrupted/top1/mean'] for each in alone]
    assert both['corrupted/top1/mean'] == pytest.approx(sum(means) / 2)
    assert [both['corrupted/top1/fog'], both['corrupted/top1/contrast']] == means


def test_a_small_image_is_named(config):
    """Whoever reads it, a loader's worker as well."""
    cv2.imwrite(str(config / 'val/dog/9.png'), np.zeros((20, 40, 3), np.uint8))
    with pytest.raises(UserError, match=r'^\S+/val/dog/9\.png is 40 x 20 pixels, and corruptions take images of at '
                                        r'least 32 x 32: take it out of the data, or put .* enlarges it$'):
        outcome(config)


def test_annotations_that_are_not_there(tmp_path, monkeypatch):
    """Those of the metric within the metric, before anything runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'data/coco/val2017').mkdir(parents=True)
    cfg = read_config('coco/faster-rcnn_r18_fpn_1x_coco-corrupted.py')
    cfg.test_dataloader.dataset.dataset.ann_file = ''
    with pytest.raises(UserError, match=r'instances_val2017.json does not exist \(test_evaluator.metric.ann_file\)'):
        check_data(cfg, 'test')
