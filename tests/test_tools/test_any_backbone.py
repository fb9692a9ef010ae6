"""Any backbone in ready configs, on real COCO and ADE20K images, as a user types it."""

import re

import pytest

from lgd_mm.students import read_student
from tests.test_tools.real import loaders
from tests.test_tools.test_real_data import AVERAGE, FEW_REGIONS, SLIM_HEADS
from tests.tiny import write_lgd_config

pytestmark = [pytest.mark.real_data, pytest.mark.slow]
DETECTOR = 'configs/coco/faster-rcnn_r18_fpn_1x_coco.py'
VIT = 'timm/vit_tiny_patch16_224'


def of_coco(data_dir):
    """A few small images of the sample."""
    root = data_dir / 'coco'
    return [
        *loaders(root, 'train', 'val'), *FEW_REGIONS, 'train_dataloader.dataset.pipeline.2.scale=(160,96)',
        'val_dataloader.dataset.pipeline.1.scale=(160,96)', 'train_dataloader.dataset.indices=2',
        'val_dataloader.dataset.indices=1', 'train_cfg.max_epochs=1',
        f'val_evaluator.ann_file={root}/annotations/instances_val2017.json'
    ]


@pytest.mark.parametrize('backbone', [
    'timm/mobilenetv4_conv_small_035', VIT, 'timm/swin_tiny_patch4_window7_224',
    *(pytest.param(name, marks=pytest.mark.nightly) for name in ('resnet18', 'timm/repvit_m0_9'))
])
def test_detector(backbone, data_dir, tmp_path, tool):
    printed = tool('tools/train.py', DETECTOR, '--backbone', backbone, '--work-dir', tmp_path, '--cfg-options',
                   *of_coco(data_dir))
    assert len(AVERAGE.findall(printed)) >= 12
    assert f'--backbone {backbone}' in printed.splitlines()[-1]


def test_from_images_to_a_detector(data_dir, tmp_path, tool):
    """A student of timm is pre-trained in its plain form, and fills the form with maps."""
    config = write_lgd_config(
        tmp_path, data_dir / 'coco' / 'train2017', model=dict(lgka=dict(categories='coco')),
        train_dataloader=dict(batch_size=16), train_cfg=dict(max_epochs=1))
    tool('tools/train.py', config, '--backbone', 'timm/convnext_atto', '--work-dir', tmp_path / 'run')
    student = tmp_path / 'run' / 'student.safetensors'
    assert 'timm_model.stages.0.blocks.0.norm.weight' in read_student(student)[0]
    printed = tool('tools/train.py', DETECTOR, '--backbone', 'timm/convnext_atto', '--student', student, '--work-dir',
                   tmp_path / 'detector', '--cfg-options', *of_coco(data_dir))
    assert '124 of 124 backbone keys matched' in printed and len(AVERAGE.findall(printed)) >= 12


def test_segmentor(data_dir, tmp_path, tool):
    """Of a plain transformer; test images have sides that its patches do not divide."""
    printed = tool(
        'tools/train.py', 'configs/ade20k/upernet_r18_80k_ade20k-512x512.py', '--backbone', VIT,
        '--work-dir', tmp_path, '--cfg-options',
        *loaders(data_dir / 'ade' / 'ADEChallengeData2016', 'train', 'val', 'test'),
        *SLIM_HEADS, 'train_dataloader.batch_size=2', 'train_cfg.max_iters=1', 'train_cfg.val_interval=1',
        'model.data_preprocessor.size=(64,64)', 'train_dataloader.dataset.pipeline.2.scale=(256,64)',
        'train_dataloader.dataset.pipeline.3.crop_size=(64,64)', 'val_dataloader.dataset.pipeline.1.scale=(250,90)',
        'val_dataloader.dataset.indices=4')
    assert len(re.findall(r'^\| +\S.*\| +\S+ +\| +\S+ +\|$', printed, re.MULTILINE)) == 151  # with the heading
