"""What train() and test() do with a sound set-up."""

import copy
import importlib
import json
import os
import pickle
import shlex
import sys

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmpretrain.models import ResNet

from lgd_mm.engine import settings
from lgd_mm.engine.launch import test as evaluate
from lgd_mm.engine.launch import train
from lgd_mm.engine.summary import next_step
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.registry import HOOKS
from lgd_mm.runs import checkpoints
from lgd_mm.students import read_student, write_student
from tests.isolation import forget_runs
from tests.test_tools.conftest import BACKBONE
from tests.tiny import ROOT, run_tool, write_images, write_lgd_config


@HOOKS.register_module()
class KeepFirstWeights(Hook):
    """Keeps the backbone as it is before the first iteration."""

    def before_train(self, runner):
        type(self).weights = {key: value.clone() for key, value in runner.model.backbone.state_dict().items()}


def test_student_is_in_the_model_when_training_begins(tmp_path, classifier):
    """Bit by bit, in a third library's scope."""
    network = ResNet(**{key: value for key, value in BACKBONE.items() if key != 'type'})
    state = {key: torch.rand_like(value) if value.is_floating_point() else value + 9
             for key, value in network.state_dict().items()}
    file, _ = write_student(state, dict(backbone=BACKBONE), tmp_path / 'student')
    train(classifier, student=str(file), work_dir=str(tmp_path / 'run'),
          cfg_options={'custom_hooks': [dict(type='lgd_mm.KeepFirstWeights')]})
    assert KeepFirstWeights.weights.keys() == state.keys()
    assert all(torch.equal(value, state[key]) for key, value in KeepFirstWeights.weights.items())


def test_tested_as_trained(tmp_path, classifier, trained):
    """test() loads the checkpoint, returns the metrics and writes the predictions."""
    out = tmp_path / 'predictions.pkl'
    metrics = evaluate(classifier, str(trained / 'epoch_1.pth'), work_dir=str(tmp_path), out=str(out))
    assert 0 <= metrics['accuracy/top1'] <= 100
    assert len(pickle.loads(out.read_bytes())) == 12


@pytest.mark.parametrize('moved', [False, True], ids=['in place', 'moved'])
def test_resume_goes_on(tmp_path, classifier, trained, moved):
    """From the latest checkpoint of the work dir, also if that was moved: last_checkpoint keeps a full path."""
    folder = tmp_path / 'moved'
    folder.mkdir()
    for name in ('epoch_1.pth', 'last_checkpoint'):
        (folder / name).write_bytes((trained / name).read_bytes())
    (folder / 'last_checkpoint').write_text(str(tmp_path / 'gone' / 'epoch_1.pth' if moved else folder / 'epoch_1.pth'))
    runner = train(classifier, work_dir=str(folder), resume='auto', cfg_options={'train_cfg.max_epochs': 2})
    assert (runner.epoch, runner.iter) == (2, 6)
    assert load_checkpoint_file(folder / 'epoch_2.pth')['meta']['iter'] == 6


@pytest.mark.parametrize('pointer', ['epoch_3.pth', 'epoch_5.pth', ''], ids=['deleted', 'damaged', 'empty'])
def test_resume_of_a_run_killed_while_saving(tmp_path, trained, capsys, pointer):
    """From the newest whole checkpoint, and it says so."""
    for age, name in enumerate(('epoch_4.pth', 'epoch_2.pth', 'iter_10.pth')):
        (tmp_path / name).write_bytes((trained / 'epoch_1.pth').read_bytes())
        os.utime(tmp_path / name, (9 - age, 9 - age))
    (tmp_path / 'epoch_5.pth').write_bytes((trained / 'epoch_1.pth').read_bytes()[:5000])
    (tmp_path / 'last_checkpoint').write_text(pointer)
    assert checkpoints.latest_checkpoint(str(tmp_path)) == tmp_path / 'epoch_4.pth'
    assert capsys.readouterr().out.endswith(': epoch_4.pth is the newest whole checkpoint there\n')


@pytest.mark.parametrize('loop', [
    {'train_cfg': dict(type='EpochBasedTrainLoop', max_epochs=1)},
    {'train_cfg': dict(_delete_=True, type='IterBasedTrainLoop', max_iters=3),
     'default_hooks.checkpoint.by_epoch': False, 'default_hooks.logger.log_metric_by_epoch': False},
], ids=['epochs', 'iterations'])
def test_resume_of_a_finished_run_validates(tmp_path, classifier, monkeypatch, loop):
    """mmengine saves the last checkpoint first: killed before its validation, a run would never have one."""
    validation = {f'val_{part}': Config.fromfile(classifier)[f'test_{part}'] for part in
                  ('dataloader', 'evaluator', 'cfg')}
    options = {**validation, **loop}
    with monkeypatch.context() as patch:
        patch.setattr('mmengine.runner.ValLoop.run', lambda self: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(classifier, work_dir=str(tmp_path), cfg_options=copy.deepcopy(options))
    assert not scalars(tmp_path, 'accuracy/top1')

    forget_runs()
    runner = train(classifier, work_dir=str(tmp_path), resume='auto', cfg_options=options)
    steps = [line['step'] for line in scalars(tmp_path, 'accuracy/top1')]
    assert (runner.iter, steps) == (3, [1 if 'Epoch' in loop['train_cfg']['type'] else 3])


def scalars(folder, key):
    """Logged lines with a key."""
    lines = [line for path in folder.glob('*/vis_data/scalars.json') for line in path.read_text().splitlines()]
    return [scalar for scalar in map(json.loads, lines) if key in scalar]


def test_resume_without_a_run_keeps_load_from(tmp_path, classifier, trained):
    """The new run begins as it would without --resume."""
    file = str(trained / 'epoch_1.pth')
    runner = train(classifier, work_dir=str(tmp_path / 'new'), resume='auto', cfg_options={
        'load_from': file, 'custom_hooks': [dict(type='lgd_mm.KeepFirstWeights')]})
    saved = load_checkpoint_file(file)['state_dict']
    assert runner.iter == 3
    assert all(torch.equal(value, saved[f'backbone.{key}']) for key, value in KeepFirstWeights.weights.items())


def test_resume_without_a_run_begins_one(tmp_path, classifier, capsys):
    """As upstream, so that the same command can be repeated; it says so."""
    assert train(classifier, work_dir=str(tmp_path / 'new'), resume='auto').iter == 3
    assert 'nothing to resume from' in capsys.readouterr().out


def test_amp_on_the_cpu_computes_in_bfloat16(tmp_path, classifier):
    """The convolutions do; the weights stay float32."""
    seen = []
    handle = torch.nn.modules.module.register_module_forward_hook(
        lambda module, args, out: seen.append(out.dtype) if isinstance(module, torch.nn.Conv2d) else None)
    try:
        runner = train(classifier, work_dir=str(tmp_path / 'run'), amp='bf16')
    finally:
        handle.remove()
    assert type(runner.optim_wrapper).__name__ == 'CPUAmpOptimWrapper'
    assert set(seen) == {torch.bfloat16}
    assert {parameter.dtype for parameter in runner.model.parameters()} == {torch.float32}


def test_lr_is_scaled_with_the_batch(tmp_path, classifier):
    """A batch of 4 for a learning rate meant for 16."""
    runner = train(classifier, work_dir=str(tmp_path / 'run'), auto_scale_lr=True,
                   cfg_options={'auto_scale_lr.base_batch_size': 16})
    assert runner.optim_wrapper.get_lr()['lr'][0] == pytest.approx(0.0025)


@pytest.mark.parametrize(('precision', 'dtype'), [('auto', 'float16'), ('fp16', 'float16'), ('bf16', 'bfloat16')])
def test_amp_on_a_gpu(precision, dtype, monkeypatch):
    """mmengine's wrapper with loss scaling; the frozen teacher in float16, whose similarities are nearer."""
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    cfg = Config(dict(
        model=dict(teacher=dict(type='lgd_mm.OpenCLIPTeacher')),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=1))))
    settings.set_precision(cfg, precision)
    assert cfg.optim_wrapper.to_dict() == dict(
        type='AmpOptimWrapper', dtype=dtype, loss_scale='dynamic', optimizer=dict(type='SGD', lr=1))
    assert cfg.model.teacher.precision == 'fp16'


def test_cpu_processes_get_plain_batch_norm():
    """SyncBN does not run on a CPU; the rest of the model is left alone."""
    cfg = Config.fromfile(ROOT / 'configs/ade20k/upernet_r18_160k_ade20k-512x512.py')
    assert settings.set_cpu_processes(cfg)
    assert 'SyncBN' not in str(cfg.model)
    assert cfg.model.backbone.norm_cfg.type == cfg.model.decode_head.norm_cfg.type == 'BN'
    assert (cfg.model_wrapper_cfg.device_ids, cfg.model_wrapper_cfg.find_unused_parameters) == (None, False)
    assert not settings.set_cpu_processes(cfg)


def test_work_dir_is_named_after_the_config(classifier):
    """Unless the command or the config names one, in this order."""
    assert settings.load_config(classifier, None, None, 'none').work_dir == 'work_dirs/tiny_classifier'
    assert settings.load_config(classifier, {'work_dir': 'a'}, None, 'none').work_dir == 'a'
    assert settings.load_config(classifier, {'work_dir': 'a'}, 'b', 'none').work_dir == 'b'


def test_next_command_after_several_students(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    cfg = Config.fromfile('configs/lgd/r18_mobilenetv2_pretrain.py')
    cfg.work_dir = str(tmp_path)
    (tmp_path / 'student_r18.safetensors').touch()
    assert next_step('', cfg) == ('next: python tools/train.py configs/coco/mask-rcnn_r18_fpn_1x_coco.py --student '
                                  f'{tmp_path}/student_r18.safetensors')


@pytest.mark.parametrize(('name', 'downstream'), [
    ('r18', 'configs/coco/mask-rcnn_r18_fpn_1x_coco.py'),
    ('mobilenetv2', 'configs/coco/mask-rcnn_mobilenetv2_fpn_1x_coco.py'),
    ('r34', None),
    ('timm', None),
    ('../shapes/lgd_r18-slim_shapes', 'configs/shapes/mask-rcnn_r18-slim_fpn_shapes.py'),
])
def test_next_command_is_one_that_works(tmp_path, monkeypatch, name, downstream):
    """It names a config only if that is there and has the student's backbone."""
    monkeypatch.chdir(ROOT)
    cfg = Config.fromfile(f'configs/lgd/{name}.py' if '/' in name else f'configs/lgd/{name}_pretrain.py')
    cfg.work_dir = str(tmp_path)
    file = tmp_path / 'student.safetensors'
    file.touch()
    expected = f'next: python tools/train.py {downstream} --student {file}' if downstream else f'student: {file}'
    assert next_step('', cfg) == expected
    monkeypatch.chdir(tmp_path)
    assert next_step('', cfg) == f'student: {file}'


@pytest.mark.parametrize('words', [
    [], ['--data', 'my set'], ['--data=-odd', '--work-dir', 'a b', '--cfg-options', "x.names=['a b','c']", 'seed=1'],
    ['--work-dir=w', '--cfg-options', 'a=1', '--amp', '--cfg-options', 'b=2']])
def test_next_command_has_the_options_that_were_given(tmp_path, monkeypatch, classifier, words):
    """As a shell takes them: a test would read other data without."""
    sys.path.insert(0, str(ROOT / 'tools'))
    try:
        tools = {name: importlib.import_module(name) for name in ('train', 'test')}
    finally:
        sys.path.pop(0)
        [sys.modules.pop(name, None) for name in ('train', 'test')]
    monkeypatch.setattr(sys, 'argv', ['tools/train.py', classifier, *words])
    given = tools['train'].given()
    run = tmp_path / 'my runs'
    run.mkdir()
    torch.save({}, run / 'epoch_1.pth')
    (run / 'last_checkpoint').write_text(str(run / 'epoch_1.pth'))
    cfg = Config.fromfile(classifier)
    cfg.update(work_dir=str(run), test_dataloader=cfg.train_dataloader)
    trained = tools['train'].parser('extend').parse_args()
    line = next_step(classifier, cfg, given)
    assert line.startswith('next: python tools/test.py ')
    monkeypatch.setattr(sys, 'argv', shlex.split(line.removeprefix('next: python ')))
    tested = tools['test'].parser('extend').parse_args()
    assert tested.checkpoint == str(run / 'epoch_1.pth') and tested.config == classifier
    for name in ('data', 'work_dir', 'cfg_options'):
        assert getattr(tested, name) == getattr(trained, name)


def test_pretraining_exports_its_student(tmp_path, monkeypatch, capsys):
    """At the end of training; the export tool makes the same of the checkpoint; the result is printed."""
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path / 'cache'))
    write_images(tmp_path / 'pictures', 8)
    config = write_lgd_config(tmp_path, tmp_path / 'pictures', train_cfg=dict(max_epochs=1), param_scheduler=[])
    run = tmp_path / 'run'
    runner = train(str(config), work_dir=str(run))
    result, warning = capsys.readouterr().out.splitlines()[-2:]
    losses = [line['loss'] for line in scalars(run, 'loss')]
    assert result == f'2 iterations: loss {losses[-1]:.4g}'
    assert warning.startswith('warning: all of 8 pseudo labels are ')  # of an untrained teacher
    assert next_step(str(config), runner.cfg) == f'student: {run}/student.safetensors'

    weights, metadata = read_student(run / 'student.safetensors')
    assert metadata['iteration'] == 2 and metadata['backbone']['base_channels'] == 8
    done = run_tool('tools/export_student.py', run / 'epoch_1.pth', tmp_path / 'again.pth')
    assert done.returncode == 0, done.stderr[-3000:]
    again, same = read_student(tmp_path / 'again.pth')
    assert same == metadata
    assert again.keys() == weights.keys() and all(torch.equal(again[key], weights[key]) for key in weights)
