"""A set of one's own, trained and tested through the tools without Python; and annotations that do not fit."""

import json

import cv2
import numpy as np
import pytest

from tests.own_sets import write_coco_set, write_masks, write_voc_set
from tests.tiny import run_tool

SLIM = ['model.backbone.stem_channels=8', 'model.backbone.base_channels=8']
DETECTOR = [
    *SLIM, 'model.neck.in_channels=[8,16,32,64]', 'train_cfg.max_epochs=1',
    'model.train_cfg.rpn_proposal.max_per_img=20', 'model.test_cfg.rpn.max_per_img=20',
    'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
    'val_dataloader.num_workers=0', 'val_dataloader.persistent_workers=False', 'test_dataloader.num_workers=0',
    'test_dataloader.persistent_workers=False', 'train_dataloader.dataset.pipeline.2.scale=(64,64)',
    'val_dataloader.dataset.pipeline.1.scale=(64,64)', 'test_dataloader.dataset.pipeline.1.scale=(64,64)'
]
SEGMENTER = [
    *SLIM, 'model.decode_head.in_channels=[8,16,32,64]', 'model.decode_head.channels=16',
    'model.auxiliary_head.in_channels=32', 'model.auxiliary_head.channels=16', 'model.data_preprocessor.size=(64,64)',
    'train_cfg.max_iters=2', 'train_cfg.val_interval=2', 'default_hooks.checkpoint.interval=2',
    'train_dataloader.batch_size=2', 'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
    'val_dataloader.num_workers=0', 'val_dataloader.persistent_workers=False', 'test_dataloader.num_workers=0',
    'test_dataloader.persistent_workers=False', 'train_dataloader.dataset.pipeline.2.scale=(64,64)',
    'train_dataloader.dataset.pipeline.3.crop_size=(64,64)', 'val_dataloader.dataset.pipeline.1.scale=(64,64)',
    'test_dataloader.dataset.pipeline.1.scale=(64,64)'
]
FASTER, UPERNET = 'configs/coco/faster-rcnn_r18_fpn_1x_coco.py', 'configs/ade20k/upernet_r18_80k_ade20k-512x512.py'


def train(config, root, work_dir, options):
    return run_tool('tools/train.py', config, '--data', root, '--work-dir', work_dir, '--cfg-options', *options)


def test_pascal_voc_to_a_tested_detector(tmp_path):
    """Convert, train, test: the commands of the documentation."""
    voc, root = write_voc_set(tmp_path / 'voc'), tmp_path / 'set'
    done = run_tool('tools/voc_to_coco.py', voc, root)
    assert done.returncode == 0, done.stderr
    done = train(FASTER, root, tmp_path / 'run', DETECTOR)
    assert done.returncode == 0, done.stderr[-3000:]
    assert '4 pictures to train and 3 to test with, 3 classes: bolt, nut, washer' in done.stdout
    done = run_tool('tools/test.py', FASTER, tmp_path / 'run/epoch_1.pth', '--data', root, '--work-dir',
                    tmp_path / 'test', '--cfg-options', *DETECTOR)
    assert done.returncode == 0, done.stderr[-3000:]
    metrics = json.loads(next((tmp_path / 'test').glob('*/*.json')).read_text())
    assert 0 <= metrics['coco/bbox_mAP'] <= 1


@pytest.mark.parametrize('images, masks, suffix', [('images/{split}', 'masks/{split}', '.png'),
                                                   ('{split}', '{split}annot', '.png')])
def test_pictures_and_masks_to_a_tested_segmenter(tmp_path, images, masks, suffix):
    root = write_masks(tmp_path / 'set', images, masks, suffix)
    done = train(UPERNET, root, tmp_path / 'run', SEGMENTER)
    assert done.returncode == 0, done.stderr[-3000:]
    assert '4 classes: ground, nut, bolt, washer' in done.stdout
    done = run_tool('tools/test.py', UPERNET, tmp_path / 'run/iter_2.pth', '--data', root, '--work-dir',
                    tmp_path / 'test', '--cfg-options', *SEGMENTER)
    assert done.returncode == 0, done.stderr[-3000:]
    assert 0 <= json.loads(next((tmp_path / 'test').glob('*/*.json')).read_text())['mIoU'] <= 100


def mistake(done):
    """The one sentence on stderr."""
    assert done.returncode == 2, done.stdout[-2000:] + done.stderr[-2000:]
    assert 'Traceback' not in done.stderr.split('error: ')[0]
    errors = [line for line in done.stderr.splitlines() if line.startswith('error: ')]
    assert len(errors) == 1
    return errors[0]


def test_a_label_out_of_range(tmp_path):
    root = write_masks(tmp_path / 'set', 'images/{split}', 'masks/{split}')
    bad = root / 'masks/train/001.png'
    cv2.imwrite(str(bad), np.full((64, 64), 7, np.uint8))
    done = train(UPERNET, root, tmp_path / 'run', [*SEGMENTER, 'train_dataloader.num_workers=1'])
    assert f'{bad} has the label 7, but there are 4 classes, labels 0 to 3 (255 is ignored)' in mistake(done)


def test_a_missing_picture_and_the_choice_to_skip_it(tmp_path):
    root = write_coco_set(tmp_path / 'set')
    (root / 'train/002.jpg').unlink()
    sentence = mistake(train(FASTER, root, tmp_path / 'run', [*DETECTOR, 'train_dataloader.num_workers=1']))
    assert f'{root}/train/002.jpg is missing' in sentence
    skip = sentence.split('--cfg-options ')[1]
    assert skip == 'train_dataloader.dataset.pipeline.0.ignore_empty=True'
    done = train(FASTER, root, tmp_path / 'run', [*DETECTOR, skip])
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_picture_that_is_none(tmp_path):
    root = write_coco_set(tmp_path / 'set')
    (root / 'train/001.jpg').write_bytes(b'not a picture')
    assert '001.jpg cannot be decoded: replace it' in mistake(train(FASTER, root, tmp_path / 'run', DETECTOR))


def test_categories_that_do_not_match(tmp_path):
    """mmdet would drop them all without a word."""
    root = write_coco_set(tmp_path / 'set')
    options = [f'{loader}_dataloader.dataset.{key}={value}'
               for loader, split in (('train', 'train'), ('val', 'val'), ('test', 'val'))
               for key, value in {'data_root': f'{root}/', 'ann_file': f'annotations/{split}.json',
                                  'data_prefix.img': f'{split}/'}.items()]
    options += [f'{split}_evaluator.ann_file={root}/annotations/val.json' for split in ('val', 'test')]
    done = run_tool('tools/train.py', FASTER, '--work-dir', tmp_path / 'run', '--cfg-options', *DETECTOR, *options)
    sentence = mistake(done)
    assert 'train.json has no category person, bicycle, car, motorcycle, airplane and 75 more' in sentence
    assert 'it has nut, bolt, washer' in sentence and '--data FOLDER' in sentence

    subset = [f"{split}_dataloader.dataset.metainfo.classes=['nut','bolt']" for split in ('train', 'val', 'test')]
    done = run_tool('tools/train.py', FASTER, '--work-dir', tmp_path / 'run', '--cfg-options', *DETECTOR, *options,
                    *subset, 'model.roi_head.bbox_head.num_classes=2')
    assert done.returncode == 0, done.stderr[-2000:]
    assert 'train.json: washer is not in train_dataloader.dataset.metainfo.classes, and left out' in done.stdout
