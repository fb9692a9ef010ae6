"""Masks are bytes up to the data preprocessor, and behind it everything is as mmseg has it."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import DATASETS, MODELS, DefaultScope, init_default_scope

import lgd_mm  # noqa: F401 - makes mmseg:: configs readable
from tests.tiny import ROOT

SIZE = 64
CONFIGS = ['ade20k/upernet_r18_80k_ade20k-512x512', 'ade20k/sem-fpn_r18_160k_ade20k-512x512',
           'cityscapes/pspnet_r18-d8_80k_cityscapes-512x1024', 'shapes/upernet_r18-slim_shapes']
PREPROCESSOR = dict(mean=[0, 0, 0], std=[1, 1, 1], size=(SIZE, SIZE))


@pytest.fixture
def folder(tmp_path):
    """Three images, smaller than the batch, with masks of all kinds of labels."""
    rng = np.random.default_rng(0)
    for name in ('images', 'masks'):
        (tmp_path / name).mkdir()
    for index in range(3):
        cv2.imwrite(str(tmp_path / f'images/{index}.jpg'), rng.integers(0, 256, (48, 40, 3), dtype=np.uint8))
        cv2.imwrite(str(tmp_path / f'masks/{index}.png'), rng.integers(0, 9, (48, 40), dtype=np.uint8))
    return tmp_path


def dataset(folder, kind, flip=1.0):
    pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations', reduce_zero_label=True),
                dict(type='RandomFlip', prob=flip), dict(type=kind)]
    with DefaultScope.overwrite_default_scope('mmseg'):
        return DATASETS.build(dict(
            type='mmseg.BaseSegDataset', data_root=str(folder), reduce_zero_label=True, pipeline=pipeline,
            data_prefix=dict(img_path='images', seg_map_path='masks'), metainfo=dict(classes=[*'012345678'])))


@pytest.mark.parametrize('training', [True, False])
def test_a_batch_is_mmsegs(folder, training):
    """Flipped, padded with 255, in the losses' type; and on the way an eighth as large."""
    batches = []
    for kind, preprocessor in (('lgd_mm.PackSegInputs', 'lgd_mm.SegDataPreProcessor'),
                               ('mmseg.PackSegInputs', 'mmseg.SegDataPreProcessor')):
        data = pseudo_collate(list(dataset(folder, kind)))
        sent = data['data_samples'][0].gt_sem_seg.data
        assert sent.dtype == (torch.uint8 if kind.startswith('lgd_mm') else torch.int64)
        batches.append(MODELS.build(dict(type=preprocessor, **PREPROCESSOR))(data, training))
    ours, theirs = batches
    assert torch.equal(ours['inputs'], theirs['inputs'])
    for mine, other in zip(ours['data_samples'], theirs['data_samples'], strict=True):
        assert mine.gt_sem_seg.data.dtype == torch.int64
        assert torch.equal(mine.gt_sem_seg.data, other.gt_sem_seg.data)
        assert mine.metainfo == other.metainfo
    if training:
        assert ours['data_samples'][0].gt_sem_seg.data.shape == (1, SIZE, SIZE)
        assert (ours['data_samples'][0].gt_sem_seg.data[:, 48:] == 255).all()


def test_images_without_masks_are_packed(folder):
    """As a test set without ground truth has them."""
    data = dataset(folder, 'lgd_mm.PackSegInputs')
    data.pipeline.transforms.pop(1)
    batch = pseudo_collate([data[0]])
    assert 'gt_sem_seg' not in batch['data_samples'][0]
    done = MODELS.build(dict(type='lgd_mm.SegDataPreProcessor', **PREPROCESSOR))(batch)
    assert done['inputs'].shape == (1, 3, 48, 40)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.split('/')[1].split('_')[0])
def test_losses_of_the_configs_take_them(folder, path):
    """Each head's losses are those of int64 masks."""
    cfg = Config.fromfile(ROOT / f'configs/{path}.py')
    assert {loader.dataset.pipeline[-1].type for loader in (
        cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)} == {'lgd_mm.PackSegInputs'}
    assert {cfg.val_evaluator.type, cfg.test_evaluator.type} == {'lgd_mm.IoUMetric'}
    cfg.model.data_preprocessor.size = (SIZE, SIZE)
    init_default_scope('mmseg')
    torch.manual_seed(0)
    model = revert_sync_batchnorm(MODELS.build(cfg.model)).eval()  # no dropout
    losses = []
    for kind in ('lgd_mm.PackSegInputs', 'mmseg.PackSegInputs'):
        data = model.data_preprocessor(pseudo_collate(list(dataset(folder, kind))), training=True)
        losses.append(model(**data, mode='loss'))
    assert losses[0].keys() == losses[1].keys()
    assert all(torch.equal(losses[0][key], losses[1][key]) for key in losses[0])
