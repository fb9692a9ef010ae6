"""tools/benchmark.py as its user meets it: killed at any moment, with a student that does not fit, on real runs."""

import json
import os
import time

import pytest
import torch

from lgd_mm.students.file import write_student
from tests.processes import start_program
from tests.tiny import ROOT, run_tool, write_images, write_lgd_config, write_tiny_teacher

CLASSIFIER = '''
_base_ = {runtime!r}
model = dict(
    type='ImageClassifier', backbone=dict(type='ResNet', depth=18, stem_channels=8, base_channels=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', in_channels=64, num_classes=2, loss=dict(type='CrossEntropyLoss'), topk=(1, )))
data_preprocessor = dict(num_classes=2, mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)
train_dataloader = dict(
    batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(type='CustomDataset', data_root={images!r},
                 pipeline=[dict(type='LoadImageFromFile'), dict(type='PackInputs')]))
val_dataloader = dict(
    batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'), dataset=train_dataloader['dataset'])
val_evaluator = dict(type='Accuracy', topk=(1, ))
val_cfg = dict()
optim_wrapper = dict(optimizer=dict(type='SGD', lr=0.01))
train_cfg = dict(by_epoch=True, max_epochs=1, val_interval=1)
default_hooks = dict(logger=dict(interval=1))
'''
ZERO_SHOT = '''
_base_ = {classifier!r}
model = dict(_delete_=True, type='lgd_mm.ZeroShotClassifier', categories=['cat', 'dog'], templates=['a {{}}.'],
             backbone=dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8),
             neck=dict(type='lgd_mm.MLPProjection'), teacher=dict(type='lgd_mm.OpenCLIPTeacher', model={teacher!r}))
test_dataloader = _base_.val_dataloader
test_evaluator = _base_.val_evaluator
test_cfg = dict()
train_dataloader = train_cfg = optim_wrapper = val_dataloader = val_evaluator = val_cfg = None
'''


@pytest.fixture
def suite(tmp_path):
    """Random weights, an LGD student, and last one of another width; a fine-tuned task and zero-shot classification."""
    from lgd_mm.registry import MODELS
    pictures = tmp_path / 'pictures'
    write_images(pictures, 8)
    classifier, zero_shot, config = (tmp_path / name for name in ('tiny_classifier.py', 'tiny_zero_shot.py', 'tiny.py'))
    runtime = str(ROOT / 'configs/_base_/lgd_runtime.py')
    classifier.write_text(CLASSIFIER.format(runtime=runtime, images=str(pictures)))
    zero_shot.write_text(ZERO_SHOT.format(classifier=str(classifier), teacher=write_tiny_teacher(tmp_path / 'teacher')))
    pretrain = write_lgd_config(tmp_path, pictures, train_cfg=dict(max_epochs=1))
    wide = MODELS.build(dict(type='mmpretrain.ResNet', depth=18, stem_channels=16, base_channels=16))
    write_student(wide.state_dict(), {}, tmp_path / 'wide')
    torch.save(dict(state_dict={'backbone.conv1.weight': torch.zeros(1)}), tmp_path / 'bare.pth')
    config.write_text(f'''
work_dir = {str(tmp_path / 'runs')!r}
tasks = [
    dict(name='fine-tuned', config={str(classifier)!r}, metrics={{'accuracy/top1': 'top-1'}}),
    dict(name='zero-shot', config={str(zero_shot)!r}, metrics={{'accuracy/top1': 'zero-shot'}}, test_only=True),
]
entries = [
    dict(label='random weights', without=['zero-shot']),
    dict(label='LGD', pretrain={str(pretrain)!r}),
    dict(label='wide', student={str(tmp_path / 'wide.safetensors')!r}, without=['zero-shot']),
]
''')
    return config


def cells(folder):
    results = json.loads((folder / 'runs/results.json').read_text())
    return {(cell['entry'], cell['task']): cell for cell in results['cells']}


@pytest.mark.slow
def test_killed_and_started_again(suite, tmp_path):
    """Killing the runner, not its run, at two moments loses no finished run; a student that does not fit is one row's
    failure."""
    command, output = [str(ROOT / 'tools/benchmark.py'), str(suite)], tmp_path / 'output'
    finished = {}
    for until in ('random weights, fine-tuned, seed 0: accuracy', 'LGD, pre-training, seed 0:  '):
        runner = start_program(command, ROOT, os.environ, output, tmp_path / 'errors')
        while until not in output.read_text():
            assert runner.is_alive(), output.read_text()
            time.sleep(0.05)
        runner.kill()
        runner.join()
        finished.update({path: path.read_bytes() for path in tmp_path.glob('runs/**/run.json')
                         if json.loads(path.read_text())['done']})
    assert [path.parent.name for path in finished] == ['fine-tuned']

    result = run_tool('tools/benchmark.py', suite)
    assert result.returncode == 2, result.stderr
    assert '1 of 5 runs failed, their logs tell why' in result.stderr
    assert {path: path.read_bytes() for path in finished} == finished, 'a finished run ran again'
    found = cells(tmp_path)
    assert {key: cell['state'] for key, cell in found.items()} == {
        ('random weights', 'fine-tuned'): 'done', ('wide', 'fine-tuned'): 'failed', ('LGD', 'pre-training'): 'done',
        ('LGD', 'fine-tuned'): 'done', ('LGD', 'zero-shot'): 'done'}
    assert 'error: student' in found['wide', 'fine-tuned']['error']
    assert '--student' in result.stdout or 'fills only' in result.stdout
    for key in (('LGD', 'fine-tuned'), ('LGD', 'zero-shot')):
        assert 0 <= found[key]['metrics']['accuracy/top1']['mean'] <= 100
    assert found['LGD', 'fine-tuned']['images_per_second'] > 0

    again = run_tool('tools/benchmark.py', suite, '--entries', 'random weights', 'LGD')
    assert again.returncode == 0, again.stderr
    assert again.stdout.count('done [') == 4
    assert {path: path.read_bytes() for path in finished} == finished, 'a finished run ran again'


def test_plan_and_mistakes(suite, tmp_path):
    plan = run_tool('tools/benchmark.py', suite.name, '--dry-run', cwd=suite.parent)
    assert plan.returncode == 0, plan.stderr
    assert '5 runs, 8 iterations' in plan.stdout and 'test only' in plan.stdout
    assert not list(tmp_path.glob('runs/**/run.json'))
    unknown = run_tool('tools/benchmark.py', suite, '--entries', 'SEEED')
    assert unknown.returncode == 2 and "no entry 'SEEED'; there are: random weights, LGD, wide" in unknown.stderr
    assert 'Traceback' not in unknown.stderr
    nothing = run_tool('tools/benchmark.py')
    assert nothing.returncode == 2 and 'give a suite config' in nothing.stderr


@pytest.mark.slow
def test_zero_shot_needs_the_projection(suite, tmp_path):
    """A student file has no MLP: the cell says so and names the cure."""
    entry = f"dict(label='file', student={str(tmp_path / 'bare.pth')!r})"
    suite.write_text(suite.read_text().replace('entries = [', f'entries = [{entry},'))
    result = run_tool('tools/benchmark.py', suite, '--entries', 'file', '--tasks', 'zero-shot',
                      '--work-dir', 'here/runs', cwd=tmp_path)
    assert result.returncode == 2
    assert 'holds no neck.*' in cells(tmp_path / 'here')['file', 'zero-shot']['error']
