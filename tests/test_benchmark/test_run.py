"""The whole quickstart, shrunk to a minute."""

import io
import json
from dataclasses import replace
from functools import partial

import pytest
from rich.console import Console

from lgd_mm.datasets.shapes import write_world
from lgd_mm.benchmark import run
from lgd_mm.benchmark.run import RANDOM, SOURCES, STUDENT, collect, plan
from lgd_mm.benchmark.stage import environment

SMALL = {
    'pretrain': ('train_cfg.max_epochs=2', 'train_cfg.val_interval=2', 'train_dataloader.batch_size=16'),
    'mask-rcnn': ('train_cfg.max_epochs=1', 'train_cfg.val_interval=1'),
    'upernet': ('train_cfg.max_iters=21', 'train_cfg.val_interval=21', 'default_hooks.checkpoint.interval=21'),
}


def test_plan(tmp_path):
    stages = plan(tmp_path, range(2))
    assert len(stages) == len({stage.work_dir for stage in stages}) == 10
    for seed in (0, 1):
        pretrain, *others = [stage for stage in stages if stage.seed == seed]
        assert pretrain.name == 'pretrain'
        assert [(stage.name, stage.label) for stage in others] == [
            ('mask-rcnn', RANDOM), ('mask-rcnn', STUDENT), ('upernet', RANDOM), ('upernet', STUDENT)
        ]
        for random, student in (others[:2], others[2:]):
            assert (random.config, random.options) == (student.config, student.options), 'unequal schedules'
            assert random.student is None and student.student.parent == pretrain.work_dir


def test_collect_means_and_spread():
    records = [
        dict(name='mask-rcnn', label=label, seed=seed, seconds=10, command='', work_dir='', **environment(),
             metrics={'coco/bbox_mAP': value, 'coco/segm_mAP': 0.1})
        for label, values in ((RANDOM, (0.1, 0.2)), (STUDENT, (0.3, 0.5))) for seed, value in enumerate(values)
    ]
    results = collect(records, range(2))
    student = results['rows'][1]
    assert student['label'] == STUDENT
    assert student['metrics']['coco/bbox_mAP'] == pytest.approx(40)
    assert student['spread']['coco/bbox_mAP'] == pytest.approx(14.142, abs=1e-3)
    assert student['metrics']['ade20k/mIoU'] is None and student['spread']['ade20k/mIoU'] is None
    assert results['seconds'] == 40
    assert collect(records, range(1))['rows'][0]['spread']['coco/bbox_mAP'] is None


@pytest.mark.slow
def test_small_quickstart(tmp_path, monkeypatch):
    small = partial(write_world, unlabelled=32, zero_shot=16, detection=(8, 4), segmentation=(8, 4))
    monkeypatch.setattr(run, 'write_world', small)
    monkeypatch.setattr(run, 'plan', lambda *args: [
        replace(stage, options=(*stage.options, *SMALL[stage.name])) for stage in plan(*args)])
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path / 'cache'))
    output = io.StringIO()
    results = run.run_quickstart(tmp_path / 'quickstart', range(1), Console(file=output, width=120))

    assert json.loads((tmp_path / 'quickstart' / 'results.json').read_text()) == results
    random, student = results['rows']
    assert random['metrics']['zero_shot/top1'] is None and student['metrics']['zero_shot/top1'] is not None
    for row in results['rows']:
        assert all(0 <= row['metrics'][name] <= 100 for name in SOURCES if name != 'zero_shot/top1')
    page = (tmp_path / 'quickstart' / 'report.html').read_text()
    assert STUDENT in page and 'data:image/png;base64' in page
    assert output.getvalue().count('done ') == 5 and 'mIoU' in output.getvalue()

    monkeypatch.setattr(run.Stage, 'run', lambda *args: pytest.fail('a finished stage ran again'))
    assert run.run_quickstart(tmp_path / 'quickstart', range(1), Console(file=output))['rows'] == results['rows']
