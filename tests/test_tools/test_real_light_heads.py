"""Detectors and segmentors for devices on real COCO and ADE20K images: their student, training, stop and test."""

import re

import pytest
import torch

import lgd_mm
from lgd_mm.io.safe_load import load_checkpoint_file
from tests.isolation import forget_runs
from tests.test_tools.real import loaders, scalars

pytestmark = [pytest.mark.real_data, pytest.mark.slow]
SIDE = '(160,160)'
#: Steps of upstream's pipelines that have a size in them, of both stages of the training.
SIZES = ('2.img_scale', '3.scale', '4.crop_size', '7.size', '8.img_scale')
LATER_SIZES = {'rtmdet': ('2.scale', '3.crop_size', '6.size'), 'rtmdet-ins': ('2.scale', '3.crop_size', '7.size')}


@pytest.fixture(scope='module')
def student(data_dir, tmp_path_factory):
    """A CSPNeXt-tiny after one epoch of dense LGD on eight COCO images, by its name."""
    images = tmp_path_factory.mktemp('images')
    for path in sorted((data_dir / 'coco/train2017').iterdir())[:8]:
        (images / path.name).symlink_to(path)
    forget_runs()
    out = tmp_path_factory.mktemp('runs') / 'run'
    lgd_mm.pretrain(images=images, classes='cat,dog,person', student='cspnext-tiny', teacher='shapes', out=out,
                    epochs=1, batch_size=4, image_size=64, workers=0, amp='off', templates=['a {}.'])
    return out / 'student.safetensors'


def detection(data_dir):
    """Options of a quick run: few images, and small ones."""
    annotations = data_dir / 'coco/annotations/instances_val2017.json'
    return [*loaders(data_dir / 'coco', 'train', 'val', 'test'),
            *(f'{split}_dataloader.dataset.indices=4' for split in ('train', 'val', 'test')),
            'model.test_cfg.max_per_img=10',
            *(f'{split}_evaluator.ann_file={annotations}' for split in ('val', 'test'))]


@pytest.mark.parametrize('kind', ['rtmdet', 'rtmdet-ins'])
def test_rtmdet_on_coco(data_dir, student, tmp_path, tool, kind):
    """Both stages of its training; what is tested is the average, as in validations; it goes on after a stop."""
    config = f'configs/coco/{kind}_tiny_cspnext-tiny_300e_coco.py'
    options = [*detection(data_dir), 'train_dataloader.batch_size=2', 'train_cfg.max_epochs=2',
               'default_hooks.checkpoint.interval=1', 'custom_hooks.1.switch_epoch=1',
               *(f'train_dataloader.dataset.pipeline.{step}={SIDE}' for step in SIZES),
               *(f'custom_hooks.1.switch_pipeline.{step}={SIDE}' for step in LATER_SIZES[kind]),
               *(f'{split}_dataloader.dataset.pipeline.{step}={SIDE}' for split in ('val', 'test')
                 for step in ('1.scale', '2.size'))]
    if kind == 'rtmdet':  # the pipeline is exchanged below a worker that stays
        options += ['train_dataloader.num_workers=1', 'train_dataloader.persistent_workers=True']
    printed = tool('tools/train.py', config, '--student', student, '--work-dir', tmp_path / 'run', '--cfg-options',
                   *options)
    assert '206 of 206 backbone keys matched' in printed and printed.count('Switch pipeline now!') == 1
    last = load_checkpoint_file(tmp_path / 'run/epoch_2.pth')
    assert last['ema_state_dict']['steps'] == 4
    weight = 'bbox_head.rtm_cls.0.weight'
    assert not torch.equal(last['state_dict'][weight], last['ema_state_dict'][f'module.{weight}'])

    kinds = ('bbox', 'segm') if kind == 'rtmdet-ins' else ('bbox', )
    names = [f'coco/{each}_mAP{part}' for each in kinds for part in ('', '_50', '_75', '_s', '_m', '_l')]
    assert all(f'{name}: ' in printed for name in names)

    if kind == 'rtmdet':
        tool('tools/test.py', config, tmp_path / 'run/epoch_2.pth', '--work-dir', tmp_path / 'test', '--cfg-options',
             *options)
        assert set(names) <= set(scalars(tmp_path / 'test'))
        return
    printed = tool('tools/train.py', config, '--resume', tmp_path / 'run/epoch_1.pth', '--work-dir', tmp_path / 'again',
                   '--cfg-options', *options)
    again = load_checkpoint_file(tmp_path / 'again/epoch_2.pth')
    assert again['ema_state_dict']['steps'] == 4 and 'Switch pipeline now!' in printed


def test_atss_on_coco(data_dir, tmp_path, tool):
    options = [*detection(data_dir), 'train_cfg.max_epochs=1', 'train_dataloader.dataset.pipeline.2.scale=(192,128)',
               'val_dataloader.dataset.pipeline.1.scale=(192,128)']
    printed = tool('tools/train.py', 'configs/coco/atss_r18_fpn_1x_coco.py', '--work-dir', tmp_path, '--cfg-options',
                   *options)
    assert 'coco/bbox_mAP: ' in printed and (tmp_path / 'epoch_1.pth').is_file()


def test_segformers_head_on_ade20k(data_dir, tmp_path, tool):
    options = [
        *loaders(data_dir / 'ade/ADEChallengeData2016', 'train', 'val', 'test'), 'train_cfg.max_iters=2',
        'train_cfg.val_interval=2', 'model.data_preprocessor.size=(64,64)',
        'train_dataloader.dataset.pipeline.2.scale=(256,64)', 'train_dataloader.dataset.pipeline.3.crop_size=(64,64)',
        'val_dataloader.dataset.pipeline.1.scale=(256,96)'
    ]
    printed = tool('tools/train.py', 'configs/ade20k/segformer_r18_160k_ade20k-512x512.py', '--work-dir', tmp_path,
                   '--cfg-options', *options)
    assert 0 <= float(re.search(r' mIoU: (\S+)', printed)[1]) < 100
