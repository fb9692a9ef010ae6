"""Pre-training, transfer, training and testing on real COCO and ADE20K pictures, as a user types them."""

import json
import re

import pytest

from lgd_mm.transfer import read_student
from tests.tiny import run_tool, write_lgd_config

pytestmark = [pytest.mark.real_data, pytest.mark.slow]
QUICK = ['num_workers=0', 'persistent_workers=False']
#: The table of COCOeval: twelve averages over IoU, area and detections.
AVERAGE = re.compile(r'Average \w+ +\(A[PR]\) @\[ IoU=\S+ +\| area= *(\w+) \| maxDets= *\d+ \] = (\S+)')


def loaders(root, *splits):
    return [f'{split}_dataloader.{setting}' for split in splits for setting in (f'dataset.data_root={root}', *QUICK)]


@pytest.fixture(scope='module')
def student(data_dir, tmp_path_factory):
    """A ResNet-18 after one epoch of LGD on the 80 COCO pictures with the 80 COCO names; its teacher is random."""
    folder = tmp_path_factory.mktemp('pretrain')
    config = write_lgd_config(
        folder, data_dir / 'coco' / 'train2017',
        model=dict(backbone=dict(stem_channels=64, base_channels=64), lgka=dict(categories='coco')),
        train_dataloader=dict(batch_size=16), train_cfg=dict(max_epochs=1))
    text = config.read_text() + "train_dataloader['dataset']['pipeline'] = [dict(type='lgd_mm.LoadImage'), " \
        "dict(type='RandomResizedCrop', scale=64), dict(type='PackInputs')]\n"
    config.write_text(text)
    done = run_tool('tools/train.py', config, '--work-dir', folder / 'run', LGD_CACHE_DIR=str(folder / 'cache'))
    assert done.returncode == 0, done.stderr[-3000:]
    file = folder / 'run' / 'student.safetensors'
    assert read_student(file)[1]['iteration'] == 5
    return file


def test_mask_rcnn_on_coco(data_dir, student, tmp_path):
    """Train with the student, test the checkpoint, read the numbers of boxes and masks."""
    root = data_dir / 'coco'
    annotations = root / 'annotations' / 'instances_val2017.json'
    config = 'configs/coco/mask-rcnn_r18_fpn_1x_coco.py'
    small = [f'{split}_dataloader.dataset.pipeline.{step}.scale=(192,128)'
             for split, step in (('train', 2), ('val', 1), ('test', 1))]
    few = [f'{split}_dataloader.dataset.indices={count}' for split, count in (('train', 4), ('val', 2), ('test', 24))]
    options = [*loaders(root, 'train', 'val', 'test'), *small, *few, 'train_cfg.max_epochs=1',
               f'val_evaluator.ann_file={annotations}', f'test_evaluator.ann_file={annotations}']
    done = run_tool('tools/train.py', config, '--student', student, '--work-dir', tmp_path, '--cfg-options', *options)
    assert done.returncode == 0, done.stderr[-3000:]
    assert '120 of 120 backbone keys matched' in done.stdout
    assert done.stdout.splitlines()[-1] == f'next: python tools/test.py {config} {tmp_path}/epoch_1.pth'

    done = run_tool('tools/test.py', config, tmp_path / 'epoch_1.pth', '--work-dir', tmp_path / 'test', '--cfg-options',
                    *options)
    assert done.returncode == 0, done.stderr[-3000:]
    averages = AVERAGE.findall(done.stdout)
    for kind in (averages[:12], averages[len(averages) // 2:][:12]):  # boxes, masks
        assert [area for area, _ in kind] == ['all'] * 3 + ['small', 'medium', 'large'] + ['all'] * 3 + [
            'small', 'medium', 'large']
        assert all(-1 <= float(value) <= 1 for _, value in kind)
    metrics = json.loads(next((tmp_path / 'test').glob('*/*.json')).read_text())
    for kind in ('bbox', 'segm'):
        assert all(f'coco/{kind}_mAP{part}' in metrics for part in ('', '_50', '_75', '_s', '_m', '_l'))


def test_upernet_on_ade20k(data_dir, student, tmp_path):
    """Train in bfloat16 with the student, test the checkpoint; the labels are ADE20K's 150."""
    root = data_dir / 'ade' / 'ADEChallengeData2016'
    config = 'configs/ade20k/upernet_r18_80k_ade20k-512x512.py'
    options = [
        *loaders(root, 'train', 'val', 'test'), 'train_dataloader.batch_size=2', 'train_cfg.max_iters=2',
        'train_cfg.val_interval=2', 'model.data_preprocessor.size=(64,64)',
        'train_dataloader.dataset.pipeline.2.scale=(256,64)', 'train_dataloader.dataset.pipeline.3.crop_size=(64,64)',
        'val_dataloader.dataset.pipeline.1.scale=(256,64)', 'test_dataloader.dataset.pipeline.1.scale=(256,64)'
    ]
    done = run_tool('tools/train.py', config, '--student', student, '--amp', '--work-dir', tmp_path, '--cfg-options',
                    *options)
    assert done.returncode == 0, done.stderr[-3000:]
    assert '120 of 120 backbone keys matched' in done.stdout

    done = run_tool('tools/test.py', config, tmp_path / 'iter_2.pth', '--work-dir', tmp_path / 'test', '--cfg-options',
                    *options)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(re.findall(r'^\| +\S.*\| +\S+ +\| +\S+ +\|$', done.stdout, re.MULTILINE)) == 151  # with the heading
    assert 0 < json.loads(next((tmp_path / 'test').glob('*/*.json')).read_text())['mIoU'] < 100
