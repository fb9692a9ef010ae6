"""Heads that learn on a frozen student, on real ADE20K and COCO images: training, stop, two processes, test."""

import re

import pytest
import torch

from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.students import read_student
from lgd_mm.students.file import write_student
from tests.test_tools.real import loaders, scalars
from tests.test_tools.test_real_data import FEW_REGIONS
from tests.tiny import train_in_two

pytestmark = [pytest.mark.real_data, pytest.mark.slow]
SIDE = '(128,64)'


@pytest.fixture(scope='module')
def student(tmp_path_factory):
    """A ResNet-18 with random weights and statistics, as a file."""
    from mmpretrain.models import ResNet
    torch.manual_seed(0)
    backbone = ResNet(18)
    backbone(torch.rand(4, 3, 64, 64))  # its statistics are no longer what they begin with
    return write_student(backbone.state_dict(), dict(format='pt'), tmp_path_factory.mktemp('student') / 'student')[0]


def segmentation(data_dir):
    sizes = [f'train_dataloader.dataset.pipeline.{step}' for step in (f'2.scale={SIDE}', '3.crop_size=(64,64)')]
    return [*loaders(data_dir / 'ade/ADEChallengeData2016', 'train', 'val', 'test'), *sizes,
            'model.data_preprocessor.size=(64,64)', 'train_dataloader.batch_size=2', 'train_cfg.val_interval=2',
            *(f'{split}_dataloader.dataset.{part}' for split in ('val', 'test')
              for part in (f'pipeline.1.scale={SIDE}', 'indices=4'))]


def same_backbone(student, checkpoint):
    before, after = (read_student(file)[0] for file in (student, checkpoint))
    return before.keys() == after.keys() and all(torch.equal(after[key], value) for key, value in before.items())


@pytest.mark.parametrize('config', ['linear-seg-frozen_r18_40k', 'sem-fpn-frozen_r18_160k'])
def test_segmentation_on_ade20k(data_dir, student, tmp_path, tool, config):
    """Two steps in bfloat16, and two after a stop; the test reads the checkpoint as of any config."""
    path = f'configs/ade20k/{config}_ade20k-512x512.py'
    options = segmentation(data_dir)
    printed = tool('tools/train.py', path, '--student', student, '--amp', '--work-dir', tmp_path, '--cfg-options',
                   *options, 'train_cfg.max_iters=2', 'default_hooks.checkpoint.interval=2')
    assert '120 of 120 backbone keys matched' in printed and 'is skipped' not in printed
    tool('tools/train.py', path, '--amp', '--work-dir', tmp_path, '--resume', '--cfg-options', *options,
         'train_cfg.max_iters=4', 'default_hooks.checkpoint.interval=2')
    assert same_backbone(student, tmp_path / 'iter_2.pth') and same_backbone(student, tmp_path / 'iter_4.pth')
    first, last = (load_checkpoint_file(tmp_path / f'iter_{step}.pth') for step in (2, 4))
    weight = 'decode_head.conv_seg.weight'
    assert not torch.equal(first['state_dict'][weight], last['state_dict'][weight])
    held = [number for group in last['optimizer']['param_groups'] for number in group['params']]
    assert len(held) == len([key for key in last['state_dict'] if not key.startswith('backbone.')
                             and key.endswith(('weight', 'bias'))])
    tool('tools/test.py', path, tmp_path / 'iter_4.pth', '--work-dir', tmp_path / 'test', '--cfg-options', *options)
    assert 0 <= scalars(tmp_path / 'test')['mIoU'] < 100


def test_two_processes_on_coco(data_dir, student, tmp_path):
    """No process waits for a gradient of the backbone's."""
    annotations = data_dir / 'coco/annotations/instances_val2017.json'
    options = [
        *loaders(data_dir / 'coco', 'train', 'val'), 'train_dataloader.dataset.pipeline.2.scale=(192,128)',
        'val_dataloader.dataset.pipeline.1.scale=(192,128)', 'train_dataloader.dataset.indices=8',
        'val_dataloader.dataset.indices=4', 'train_cfg.max_epochs=1', f'val_evaluator.ann_file={annotations}',
        *FEW_REGIONS
    ]
    done = train_in_two('configs/coco/faster-rcnn-frozen_r18_fpn_1x_coco.py', '--student', student, '--work-dir',
                        tmp_path, '--cfg-options', *options)
    assert done.returncode == 0, done.stderr[-3000:]
    assert same_backbone(student, tmp_path / 'epoch_1.pth')
    assert re.search(r'coco/bbox_mAP', done.stdout + done.stderr)
