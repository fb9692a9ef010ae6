"""What a few steps tell of a whole run, by hand."""

import json

import pytest

from lgd_mm.comparison.configs import Configs, steps
from lgd_mm.comparison.measure import cost, floor
from lgd_mm.comparison.measured_suite import _short, forms
from lgd_mm.comparison.plan import _predicted, _rounded, too_small
from lgd_mm.comparison.suites import label
from lgd_mm.suite.run import Run
from lgd_mm.suite.schema import Machine, Record
from tests.own_sets import write_coco_set
from tests.test_comparison.test_budget import BUDGET


def test_the_first_steps_are_no_rule(tmp_path):
    """Steps of 5, 3, 1, 1, 1 and 1 s, each logged with the mean so far, then two batches of eight images in 4 s each;
    40 s in all: a step takes 1 s, an image 0.5, and all else 26."""
    means = [5, 4, 3, 2.5, 2.2, 2]
    lines = [dict(step=number + 1, iter=number + 1, loss=1.0, time=mean) for number, mean in enumerate(means)]
    lines.append({'accuracy/top1': 50.0, 'step': 1, 'time': 4.0})
    folder = tmp_path / 'run' / '20260101_000000' / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text(''.join(f'{json.dumps(line)}\n' for line in lines))
    config = tmp_path / 'config.py'
    config.write_text('val_dataloader = dict(batch_size=8, num_batch_per_epoch=2)\n')
    record = Record(version=3, hash='', seconds=40.0, entry='a', task='b', seed=0, command='', work_dir='', metrics={},
                    images_per_second=None, peak_memory_mb=None, memory_of=None, versions={}, machine=Machine())
    found = cost(Run('a', 'b', 0, config, tmp_path / 'run'), record)
    assert found == pytest.approx((1.0, 0.5, 40 - 6 - 8))


def test_images_that_a_detector_leaves_out_are_no_steps(tmp_path):
    """One of four has no object: nothing is trained with it, and it counts for the recipe of the set alone."""
    root = write_coco_set(tmp_path / 'set')
    file = root / 'annotations' / 'train.json'
    content = json.loads(file.read_text())
    without = content['images'][0]['id']
    content['annotations'] = [item for item in content['annotations'] if item['image_id'] != without]
    file.write_text(json.dumps(content))
    found = Configs._set('detection', str(root))
    assert (found.train, found.trained, found.test, found.longer) == (4, 3, 2, 64)
    cfg = found.cfg
    cfg.train_dataloader.batch_size = 1
    assert steps(cfg, found.trained) == 3


def test_the_fewest_passes():
    assert [floor(batches) for batches in (1, 5, 49, 50, 1000)] == [50, 10, 2, 1, 1]


def test_methods_that_take_the_same_time():
    """Dense guidance alone makes teacher and student do more."""
    assert forms(['dense', 'lgd', 'seed', 'mimicking', 'random']) == dict(
        dense=['dense'], lgd=['lgd', 'seed', 'mimicking'])
    assert forms(['mimicking', 'random']) == dict(mimicking=['mimicking'])
    assert forms(['random']) == {}
    assert (label('lgd', 'resnet18', ['resnet18']), label('lgd', 'a', ['a', 'b'])) == ('LGD', 'LGD, a')


def test_larger_images_take_longer_with_their_area():
    """Four times the fewest epochs: 60 + 2 x (20 + 4 x 10) + 3 x (30 + 8 x 5) s, the latter four times as long with
    sides twice as long."""
    assert _predicted(BUDGET, {'detection': 160}, {'detection': 160}, 1) == 390
    assert _predicted(BUDGET, {'detection': 160}, {'detection': 320}, 1) == 390 + 3 * 210
    assert _predicted(BUDGET, {'detection': None}, {'detection': None}, 1) == 390


def test_what_would_fit():
    """240 s, and 60 s of measuring, with 15 % in hand are 353 s; 85 s of 100 leave nothing, 200 two of three rows."""
    assert [_rounded(seconds) for seconds in (1, 60, 61, 7000, 7201)] == ['1m', '1m', '2m', '117m', '3h']
    told = too_small(BUDGET, '100s', 3, 1, 60)
    assert 'budget is 100s' in told and 'give --budget 6m or more (5 min 53 s), fewer methods' in told
    assert 'or 2 of the 3 rows' in too_small(BUDGET, '5m40s', 3, 1, 60)


def test_a_set_may_have_fewer_steps_than_are_measured():
    """Then there are several passes; no more is asked of a set than it has."""
    assert _short(8, 100, 4, 400) == ['train_cfg.max_epochs=1', 'default_hooks.logger.interval=1',
                                      'train_dataloader.num_batch_per_epoch=8']
    assert _short(8, 3, 4, 11) == ['train_cfg.max_epochs=3', 'default_hooks.logger.interval=1']
    assert _short(8, 8, 4, 29) == ['train_cfg.max_epochs=1', 'default_hooks.logger.interval=1']
