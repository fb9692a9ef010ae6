"""A set of one's own, trained and tested through the tools without Python."""

import json

import pytest

from lgd_mm.io.safe_load import load_checkpoint_file
from tests.own_sets import DETECTOR, FASTER, SEGMENTER, UPERNET, write_masks, write_voc_set
from tests.tiny import run_tool


def train(config, root, work_dir, options):
    return run_tool('tools/train.py', config, '--data', root, '--work-dir', work_dir, '--cfg-options', *options)


@pytest.mark.slow
def test_pascal_voc_to_a_tested_detector(tmp_path):
    """Convert, train, test: the commands of the documentation."""
    voc, root = write_voc_set(tmp_path / 'voc'), tmp_path / 'set'
    done = run_tool('tools/voc_to_coco.py', voc, root)
    assert done.returncode == 0, done.stderr
    done = train(FASTER, root, tmp_path / 'run', DETECTOR)
    assert done.returncode == 0, done.stderr[-3000:]
    assert '4 images to train and 3 to test with, 3 classes: bolt, nut, washer' in done.stdout
    meta = load_checkpoint_file(tmp_path / 'run/epoch_1.pth')['meta']
    assert tuple(meta['dataset_meta']['classes']) == ('bolt', 'nut', 'washer')
    done = run_tool('tools/test.py', FASTER, tmp_path / 'run/epoch_1.pth', '--data', root, '--work-dir',
                    tmp_path / 'test', '--cfg-options', *DETECTOR)
    assert done.returncode == 0, done.stderr[-3000:]
    metrics = json.loads(next((tmp_path / 'test').glob('*/*.json')).read_text())
    assert 0 <= metrics['coco/bbox_mAP'] <= 1


@pytest.mark.slow
@pytest.mark.parametrize('images, masks, suffix', [('images/{split}', 'masks/{split}', '.png'),
                                                   ('{split}', '{split}annot', '.png')])
def test_images_and_masks_to_a_tested_segmenter(tmp_path, images, masks, suffix):
    root = write_masks(tmp_path / 'set', images, masks, suffix)
    done = train(UPERNET, root, tmp_path / 'run', SEGMENTER)
    assert done.returncode == 0, done.stderr[-3000:]
    assert '4 classes: ground, nut, bolt, washer' in done.stdout
    done = run_tool('tools/test.py', UPERNET, tmp_path / 'run/iter_2.pth', '--data', root, '--work-dir',
                    tmp_path / 'test', '--cfg-options', *SEGMENTER)
    assert done.returncode == 0, done.stderr[-3000:]
    assert 0 <= json.loads(next((tmp_path / 'test').glob('*/*.json')).read_text())['mIoU'] <= 100
