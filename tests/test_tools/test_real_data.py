"""Pre-training, transfer, training and testing on real COCO, ADE20K and ImageNet images, as a user types them."""

import json
import os
import re
import shlex

import numpy as np
import pytest
import torch

from lgd_mm.statistics.files import read
from lgd_mm.students import read_student
from tests.processes import run_group
from tests.test_tools.real import QUICK, loaders, scalars
from tests.tiny import ROOT, run_tool, train_in_two, write_lgd_config, write_tiny_teacher

pytestmark = [pytest.mark.real_data, pytest.mark.slow]
#: The heads of a detector cost most of a CPU's time, and fill most of a checkpoint.
FEW_REGIONS = [
    'model.train_cfg.rpn_proposal.max_per_img=20', 'model.test_cfg.rpn.max_per_img=20',
    'model.test_cfg.rcnn.max_per_img=20', 'model.roi_head.bbox_head.fc_out_channels=64'
]
FEW_MASKS = [*FEW_REGIONS, 'model.roi_head.mask_head.conv_out_channels=32']
#: So do those of UPerNet.
SLIM_HEADS = ['model.decode_head.channels=32', 'model.auxiliary_head.channels=32']
#: The table of COCOeval: twelve averages over IoU, area and detections.
AVERAGE = re.compile(r'Average \w+ +\(A[PR]\) @\[ IoU=\S+ +\| area= *(\w+) \| maxDets= *\d+ \] = (\S+)')


@pytest.fixture(scope='module')
def student(data_dir, tmp_path_factory):
    """A ResNet-18 after one epoch of LGD on the 80 COCO images with the 80 COCO names; its teacher is random."""
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


def of_images(work_dir, key):
    """A metric in percent, from what each image adds to it."""
    kept = read(work_dir / 'image_results.npz')
    return 100 * kept.metrics[key].values(np.ones((1, len(kept.images))))[0]


def test_mask_rcnn_on_coco(data_dir, student, tmp_path):
    """Train with the student, test the checkpoint, read the numbers of boxes and masks."""
    root = data_dir / 'coco'
    annotations = root / 'annotations' / 'instances_val2017.json'
    config = 'configs/coco/mask-rcnn_r18_fpn_1x_coco.py'
    small = [f'{split}_dataloader.dataset.pipeline.{step}.scale=(192,128)'
             for split, step in (('train', 2), ('val', 1), ('test', 1))]
    few = [f'{split}_dataloader.dataset.indices={count}' for split, count in (('train', 4), ('val', 2), ('test', 8))]
    options = [*loaders(root, 'train', 'val', 'test'), *small, *few, *FEW_MASKS, 'train_cfg.max_epochs=1',
               'model.test_cfg.rcnn.score_thr=0',  # there are boxes, whatever two steps have taught
               f'val_evaluator.ann_file={annotations}', f'test_evaluator.ann_file={annotations}']
    done = run_tool('tools/train.py', config, '--student', student, '--work-dir', tmp_path, '--cfg-options', *options)
    assert done.returncode == 0, done.stderr[-3000:]
    assert '120 of 120 backbone keys matched' in done.stdout
    given = shlex.join(['--work-dir', str(tmp_path), '--cfg-options', *options])
    assert done.stdout.splitlines()[-1] == f'next: python tools/test.py {config} {tmp_path}/epoch_1.pth {given}'

    done = run_tool('tools/test.py', config, tmp_path / 'epoch_1.pth', '--work-dir', tmp_path / 'test', '--cfg-options',
                    *options)
    assert done.returncode == 0, done.stderr[-3000:]
    averages = AVERAGE.findall(done.stdout)
    for kind in (averages[:12], averages[len(averages) // 2:][:12]):  # boxes, masks
        assert [area for area, _ in kind] == ['all'] * 3 + ['small', 'medium', 'large'] + ['all'] * 3 + [
            'small', 'medium', 'large']
        assert all(-1 <= float(value) <= 1 for _, value in kind)
    metrics = scalars(tmp_path / 'test')
    for kind in ('bbox', 'segm'):
        assert all(f'coco/{kind}_mAP{part}' in metrics for part in ('', '_50', '_75', '_s', '_m', '_l'))


def test_faster_rcnn_on_coco(data_dir, student, tmp_path, tool):
    """The same without masks."""
    root = data_dir / 'coco'
    annotations = root / 'annotations' / 'instances_val2017.json'
    options = [
        *loaders(root, 'train', 'val'), *FEW_REGIONS, 'train_dataloader.dataset.pipeline.2.scale=(192,128)',
        'val_dataloader.dataset.pipeline.1.scale=(192,128)', 'train_dataloader.dataset.indices=4',
        'val_dataloader.dataset.indices=4', 'train_cfg.max_epochs=1', f'val_evaluator.ann_file={annotations}'
    ]
    printed = tool('tools/train.py', 'configs/coco/faster-rcnn_r18_fpn_1x_coco.py', '--student', student, '--work-dir',
                   tmp_path, '--cfg-options', *options)
    assert '120 of 120 backbone keys matched' in printed and len(AVERAGE.findall(printed)) >= 12


@pytest.fixture(scope='module')
def lvis_files(data_dir, tmp_path_factory):
    """The COCO sample's annotations in the form of LVIS v1, with its 1,203 categories."""
    from mmdet.datasets import LVISV1Dataset
    folder = tmp_path_factory.mktemp('lvis')
    categories = [dict(id=index, name=name, frequency='rcf'[index % 3])
                  for index, name in enumerate(LVISV1Dataset.METAINFO['classes'], 1)]
    for split in ('train', 'val'):
        truth = json.loads((data_dir / 'coco' / 'annotations' / f'instances_{split}2017.json').read_text())
        images = [
            dict(id=image['id'], width=image['width'], height=image['height'], not_exhaustive_category_ids=[],
                 neg_category_ids=list(range(100, 200)),
                 coco_url=f'http://images.cocodataset.org/{split}2017/{image["file_name"]}')
            for image in truth['images']
        ]
        annotations = [one for one in truth['annotations'] if not one['iscrowd']]
        (folder / f'{split}.json').write_text(
            json.dumps(dict(images=images, annotations=annotations, categories=categories)))
    return folder


def test_mask_rcnn_on_lvis(data_dir, lvis_files, student, tmp_path, tool):
    """The package lvis is not installed; the nine averages of its metric are there for boxes and masks."""
    config = 'configs/lvis/mask-rcnn_r18_fpn_1x_lvis-v1.py'
    options = [
        *(f'{split}_dataloader.{setting}' for split in ('train', 'val', 'test') for setting in QUICK),
        'train_dataloader.dataset.dataset.pipeline.2.scales=[(192,128)]', 'train_dataloader.dataset.dataset.indices=4',
        'train_cfg.max_epochs=1', 'train_cfg.val_interval=2', *FEW_MASKS,
        'model.test_cfg.rpn.max_per_img=8'  # more boxes of 1,203 categories each, and every category has its own NMS
    ]
    for key, split in (('train_dataloader.dataset.dataset', 'train'), ('val_dataloader.dataset', 'val'),
                       ('test_dataloader.dataset', 'val')):
        options += [f'{key}.data_root={data_dir}/coco', f'{key}.ann_file={lvis_files}/{split}.json']
    for key in ('val', 'test'):
        options += [f'{key}_dataloader.dataset.pipeline.1.scale=(192,128)', f'{key}_dataloader.dataset.indices=2',
                    f'{key}_evaluator.ann_file={lvis_files}/val.json']
    printed = tool('tools/train.py', config, '--student', student, '--work-dir', tmp_path, '--cfg-options', *options)
    assert '120 of 120 backbone keys matched' in printed
    tool('tools/test.py', config, tmp_path / 'epoch_1.pth', '--work-dir', tmp_path / 'test', '--cfg-options', *options)
    metrics = scalars(tmp_path / 'test')
    for kind in ('bbox', 'segm'):
        names = [f'lvis/{kind}_AP{part}' for part in ('', '50', '75', 's', 'm', 'l', 'r', 'c', 'f')]
        assert all(-1 <= metrics[name] <= 1 for name in names)


def test_upernet_on_ade20k(data_dir, student, tmp_path):
    """Train in bfloat16 with the student, test the checkpoint; the labels are ADE20K's 150."""
    root = data_dir / 'ade' / 'ADEChallengeData2016'
    config = 'configs/ade20k/upernet_r18_80k_ade20k-512x512.py'
    options = [
        *loaders(root, 'train', 'val', 'test'), 'train_dataloader.batch_size=2', 'train_cfg.max_iters=2',
        'train_cfg.val_interval=2', 'model.data_preprocessor.size=(64,64)', *SLIM_HEADS,
        'train_dataloader.dataset.pipeline.2.scale=(256,64)', 'train_dataloader.dataset.pipeline.3.crop_size=(64,64)',
        'val_dataloader.dataset.pipeline.1.scale=(256,64)', 'test_dataloader.dataset.pipeline.1.scale=(256,64)'
    ]
    done = run_tool('tools/train.py', config, '--student', student, '--amp', '--work-dir', tmp_path, '--cfg-options',
                    *options)
    assert done.returncode == 0, done.stderr[-3000:]
    assert '120 of 120 backbone keys matched' in done.stdout

    done = run_tool('tools/test.py', config, tmp_path / 'iter_2.pth', '--log-samples', '--work-dir', tmp_path / 'test',
                    '--cfg-options', *options)
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(re.findall(r'^\| +\S.*\| +\S+ +\| +\S+ +\|$', done.stdout, re.MULTILINE)) == 151  # with the heading
    assert 0 < scalars(tmp_path / 'test')['mIoU'] < 100
    assert of_images(tmp_path / 'test', 'mIoU') == pytest.approx(scalars(tmp_path / 'test')['mIoU'], abs=5e-3)


def test_a_teacher_alone_on_ade20k(data_dir, tmp_path, tool, capfd):
    """Without a checkpoint, which another model needs; each of the 150 names has its row, and two processes count what
    one does."""
    teacher = write_tiny_teacher(tmp_path / 'teacher', image_size=64)
    (tmp_path / 'templates.txt').write_text('a photo of a {}.\n')
    data = [*loaders(data_dir / 'ade' / 'ADEChallengeData2016', 'test'),
            'test_dataloader.dataset.pipeline.1.scale=(256,96)']
    config = 'configs/ade20k/zero-shot-segmentation_teacher_ade20k-512x512.py'
    options = [*data, f'model.teacher.model={teacher}', 'model.teacher.dense_stride=8',
               'model.teacher.dense_mode=naclip', f'model.templates={tmp_path}/templates.txt']
    printed = tool('tools/test.py', config, '--work-dir', tmp_path / 'test', '--cfg-options', *options)
    assert len(re.findall(r'^\| +\S.*\| +\S+ +\| +\S+ +\|$', printed, re.MULTILINE)) == 151  # with the heading
    metrics = scalars(tmp_path / 'test')
    assert 0 <= metrics['mIoU'] < 100 and 0 < metrics['aAcc'] < 100

    done = run_group([str(ROOT / 'tools/test.py'), config, '--work-dir', str(tmp_path / 'two'), '--launcher', 'pytorch',
                      '--cfg-options', *options], 2, ROOT,
                     {**os.environ, 'OMP_NUM_THREADS': '1', 'CUDA_VISIBLE_DEVICES': ''})
    assert done.returncode == 0, done.stderr[-3000:]
    two = scalars(tmp_path / 'two')
    assert all(two[key] == metrics[key] for key in ('mIoU', 'aAcc', 'mAcc'))

    config = 'configs/ade20k/sem-fpn_r18_160k_ade20k-512x512.py'
    with pytest.raises(SystemExit, match='2'):
        tool('tools/test.py', config, '--work-dir', tmp_path / 'none', '--cfg-options', *data)
    assert f'the model of {config} would be tested with random weights: give its checkpoint' in capfd.readouterr().err


def imagenet(data_dir, *splits, count=32):
    """The first ``count`` images, each of another class, at 64 pixels; the sample has no validation set."""
    options = loaders(data_dir / 'imagenet', *splits)
    for split in splits:
        dataset = f'{split}_dataloader.dataset'
        options += [f'{dataset}.split=train', f'{dataset}.indices={count}', f'{dataset}.pipeline.1.scale=64']
        if split != 'train':
            options.append(f'{dataset}.pipeline.2.crop_size=64')
    return options


def test_linear_probe_on_imagenet(data_dir, student, tmp_path, tool):
    """The checkpoint holds the student's own backbone, bit by bit, and its test gives two accuracies."""
    config = 'configs/classification/linear_r18_imagenet.py'
    options = [*imagenet(data_dir, 'train', 'val', 'test'), 'train_dataloader.batch_size=16', 'train_cfg.max_epochs=1',
               'default_hooks.checkpoint.interval=1']
    printed = tool('tools/train.py', config, '--student', student, '--auto-scale-lr', '--work-dir', tmp_path,
                   '--cfg-options', *options)
    assert '120 of 120 backbone keys matched' in printed
    tool('tools/test.py', config, tmp_path / 'epoch_1.pth', '--work-dir', tmp_path / 'test', '--cfg-options', *options)
    assert all(0 <= scalars(tmp_path / 'test')[f'accuracy/top{k}'] <= 100 for k in (1, 5))
    before, after = (read_student(file)[0] for file in (student, tmp_path / 'epoch_1.pth'))
    assert before.keys() == after.keys() and all(torch.equal(after[key], value) for key, value in before.items())


@pytest.mark.parametrize('processes', [1, 2])
def test_knn_on_imagenet(data_dir, student, tmp_path, processes, tool):
    """Each image is its own nearest neighbour: two processes find also those that the other one holds, which are
    fewer by one."""
    config = 'configs/classification/knn_r18_imagenet.py'
    options = [*imagenet(data_dir, 'train', 'val', count=31), 'train_dataloader.dataset.pipeline.2.crop_size=64',
               'train_dataloader.batch_size=8', 'model.k=1']
    arguments = ['--student', student, '--work-dir', tmp_path, '--cfg-options', *options]
    if processes == 1:
        printed = tool('tools/train.py', config, *arguments)
    else:
        done = train_in_two(config, *arguments)
        printed = done.stdout + done.stderr
    assert 'accuracy/top1: 100.0000  accuracy/top5: 100.0000' in printed, printed[-3000:]
    assert not list(tmp_path.glob('*.pth'))  # nothing was learned


def test_zero_shot_on_imagenet(data_dir, student, tmp_path, tool, capfd):
    """The checkpoint of the pre-training with COCO's names, tested with ImageNet's."""
    pretraining = student.parent
    (tmp_path / 'templates.txt').write_text('a photo of a {}.\n')
    config = 'configs/classification/zero-shot_r18_imagenet.py'
    options = [*imagenet(data_dir, 'test'), f'model.teacher.model=local-dir:{pretraining.parent}/teacher',
               f'model.templates={tmp_path}/templates.txt']
    tool('tools/test.py', config, pretraining / 'epoch_1.pth', '--work-dir', tmp_path / 'test', '--cfg-options',
         *options)
    assert all(0 <= scalars(tmp_path / 'test')[f'accuracy/top{k}'] <= 100 for k in (1, 5))

    with pytest.raises(SystemExit, match='2'):
        tool('tools/test.py', config, student, '--work-dir', tmp_path / 'test', '--cfg-options', *options)
    assert 'needs the projection of the student' in capfd.readouterr().err
