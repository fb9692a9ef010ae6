"""A stage runs once, goes on where it stopped, and starts anew when what it depends on changed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lgd_mm.errors import UserError
from lgd_mm.benchmark.stage import MARKER, Stage, StageProgress, parse_progress


@pytest.fixture
def stage(tmp_path):
    config = tmp_path / 'config.py'
    config.write_text("train_cfg = dict(max_epochs=4)\nmodel = dict(type='A')\n")
    return Stage('pretrain', 'LGD student', 0, config, tmp_path / 'run', ('randomness.seed=0', ))


def finish(stage, monkeypatch, metrics=None):
    """Run a stage whose training writes the scalars that mmengine would."""

    def train(self, on_progress):
        folder = self.work_dir / '20260101_000000' / 'vis_data'
        folder.mkdir(parents=True, exist_ok=True)
        lines = [dict(loss=1.0, step=1), dict(metrics or {'accuracy/top1': 50.0}, step=1)]
        torch.save({}, self.work_dir / 'epoch_4.pth')
        (self.work_dir / 'last_checkpoint').write_text(str(self.work_dir / 'epoch_4.pth'))
        (folder / 'scalars.json').write_text(''.join(json.dumps(line) + '\n' for line in lines))

    monkeypatch.setattr(Stage, '_train', train)
    return stage.run(lambda progress: None)


@pytest.mark.parametrize('line, epochs, expected', [
    ('INFO - Epoch(train)  [3][50/100]  lr: 1e-3  loss: 1.5000  loss_visual: 0.5', 4, StageProgress(0.625, 1.5)),
    ('INFO - Iter(train) [ 30/300]  lr: 1e-3  loss: 0.7', None, StageProgress(0.1, 0.7)),
    ('INFO - Epoch(val) [3][13/13]  accuracy/top1: 21.9', 4, None),
    ('INFO - Saving checkpoint at 1 epochs', 4, None),
])
def test_progress_of_a_log_line(line, epochs, expected):
    assert parse_progress(line, epochs) == expected


def test_finished_stage_is_recognised(stage, monkeypatch):
    assert stage.record() is None
    record = finish(stage, monkeypatch)
    assert record['metrics'] == {'accuracy/top1': 50.0} and record['seconds'] >= 0
    assert stage.record() == record


@pytest.mark.parametrize('change', ['config', 'options', 'student'])
def test_changed_stage_is_not_done(stage, monkeypatch, tmp_path, change):
    student = tmp_path / 'student.safetensors'
    student.write_bytes(b'first')
    stage = replace(stage, student=student)
    finish(stage, monkeypatch)
    if change == 'config':
        stage.config.write_text(stage.config.read_text().replace("'A'", "'B'"))
    elif change == 'student':
        student.write_bytes(b'second')
    else:
        stage = replace(stage, options=('randomness.seed=1', ))
    assert stage.record() is None

    finish(stage, monkeypatch, {'accuracy/top1': 60.0})
    assert stage.record()['metrics'] == {'accuracy/top1': 60.0}
    aside = Path(f'{stage.work_dir}.old1')
    assert json.loads((aside / MARKER).read_text())['metrics'] == {'accuracy/top1': 50.0}, 'the older run was lost'


def test_interrupted_stage_keeps_its_folder_and_time(stage, monkeypatch):
    def interrupted(self, on_progress):
        (self.work_dir / 'epoch_1.pth').write_bytes(b'checkpoint')
        raise KeyboardInterrupt

    monkeypatch.setattr(Stage, '_train', interrupted)
    with pytest.raises(KeyboardInterrupt):
        stage.run(lambda progress: None)
    assert stage.record() is None
    marker = stage.work_dir / MARKER
    marker.write_text(json.dumps({**json.loads(marker.read_text()), 'seconds': 100.0}))

    record = finish(stage, monkeypatch)
    assert record['seconds'] >= 100
    assert (stage.work_dir / 'epoch_1.pth').exists()


def test_run_that_measured_nothing_is_not_done(stage, monkeypatch):
    stage = replace(stage, metrics=('mIoU', ))
    with pytest.raises(UserError, match='ended without measuring mIoU'):
        finish(stage, monkeypatch)
    assert stage.record() is None


def test_stopped_run_says_so(stage, monkeypatch):
    program = 'import os, signal; os.kill(os.getpid(), signal.SIGTERM)'
    monkeypatch.setattr(Stage, 'command', ['-c', program])
    with pytest.raises(UserError, match='was stopped by signal 15: run the same command again'):
        stage.run(lambda progress: None)
    assert stage.record() is None


def test_failed_run_names_its_log(stage):
    stage.config.write_text('train_cfg = dict(max_epochs=1)\n')
    with pytest.raises(UserError, match=r'pretrain of "LGD student" failed; its log \S+train.out ends with'):
        stage.run(lambda progress: None)
    assert stage.record() is None
