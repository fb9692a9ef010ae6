"""Batch norms whose statistics are those of the last weights."""

import signal

import cv2
import pytest
import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.hooks import EarlyStoppingHook, Hook
from mmengine.runner import BaseLoop, Runner
from mmpretrain.models import MobileNetV2
from torch import nn

from lgd_mm.datasets.shapes import make_scene
from lgd_mm.engine.hooks import precise_bn
from lgd_mm.engine.hooks.precise_bn import PreciseBNHook, batch_statistics
from lgd_mm.errors import Stopped, UserError
from lgd_mm.registry import HOOKS, LOOPS
from lgd_mm.students import read_student
from tests.faults.conftest import run_here
from tests.isolation import forget_runs
from tests.tiny import ROOT

EACH = [dict(type='lgd_mm.IterationSeedHook'), dict(type='lgd_mm.HealthHook'), dict(type='lgd_mm.ExportStudentHook')]
STATISTICS = 'running_mean', 'running_var'


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    """A slim MobileNetV2 in 12 steps, on the generated shapes with their teacher."""
    folder = tmp_path_factory.mktemp('mobilenet')
    (folder / 'images').mkdir()
    for index in range(64):
        cv2.imwrite(str(folder / f'images/{index:02}.png'), make_scene('pretrain', index).image)
    path = folder / 'mobilenet.py'
    settings = dict(
        model=dict(backbone=dict(_delete_=True, type='mmpretrain.MobileNetV2', widen_factor=0.25)),
        train_dataloader=dict(batch_size=16, num_workers=0, persistent_workers=False,
                              dataset=dict(data_root=str(folder), data_prefix=dict(img_path='images'))),
        train_cfg=dict(max_epochs=3), val_dataloader=None, val_evaluator=None, val_cfg=None,
        test_dataloader=None, test_evaluator=None, test_cfg=None)
    base = ROOT / 'configs/shapes/lgd_r18-slim_shapes_fast.py'
    path.write_text('\n'.join([f'_base_ = {str(base)!r}', *(f'{key} = {value!r}' for key, value in settings.items())]))
    return path


@pytest.fixture(scope='module')
def runs(config, tmp_path_factory):
    """Work dir and last checkpoint of a run without the hook, and of one with it."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ('lagging', 'precise')}
    return {name: (folder, run_here(config, folder, custom_hooks=_hooks(name))) for name, folder in folders.items()}


def _hooks(name):
    return [dict(type='lgd_mm.PreciseBNHook')] * (name == 'precise') + EACH


def _told(folder):
    return ''.join(path.read_text() for path in folder.glob('*/*.log'))


def _mean_cosine(file):
    """Of the features of 64 images, as the exported student gives them."""
    pictures = torch.stack([torch.from_numpy(make_scene('pretrain', index).image).permute(2, 0, 1)
                            for index in range(64)]).sub(120.).div(58.)
    student = MobileNetV2(widen_factor=0.25)
    student.load_state_dict(read_student(file)[0])
    student.eval()
    with torch.no_grad():
        features = F.normalize(student(pictures)[-1].mean(dim=(2, 3)), dim=1)
    cosines = features @ features.T
    return float(cosines[~torch.eye(64, dtype=torch.bool)].mean())


def test_a_short_run_ends_with_features_that_vary(runs):
    (without, lagging), (folder, precise) = runs['lagging'], runs['precise']
    assert _mean_cosine(without / 'student.safetensors') > 0.9999
    assert _mean_cosine(folder / 'student.safetensors') < 0.75
    told = 'in eval mode, features of different images have a mean cosine of 1.0000, and of '
    assert told in _told(without) and 0.5 < float(_told(without).partition(told)[2].split()[0]) < 0.7
    assert "put dict(type='lgd_mm.PreciseBNHook') into custom_hooks" in _told(without)
    assert 'the statistics of 52 batch norms are now those of the last weights' in _told(folder)
    assert 'in eval mode' not in _told(folder)
    moved = {key.rpartition('.')[2] for key, value in precise['state_dict'].items()
             if not torch.equal(value, lagging['state_dict'][key])}
    assert moved == set(STATISTICS), 'the training is the same'
    torch.testing.assert_close(precise['optimizer']['state'], lagging['optimizer']['state'], rtol=0, atol=0)


def test_what_is_exported_is_what_the_last_checkpoint_holds(runs):
    folder, checkpoint = runs['precise']
    for key, value in read_student(folder / 'student.safetensors')[0].items():
        assert torch.equal(value, checkpoint['state_dict'][f'backbone.{key}']), key


@LOOPS.register_module(force=True)
class SameFigureLoop(BaseLoop):
    """A validation that gives the same each time."""

    def __init__(self, runner, dataloader, evaluator) -> None:
        self._runner = runner

    def run(self) -> None:
        hook, = (each for each in self.runner.hooks if isinstance(each, EarlyStoppingHook))
        hook.after_val_epoch(self.runner, {'accuracy/top1': 0.5})


@pytest.mark.slow
@pytest.mark.parametrize('interval', [1, 5])
def test_a_run_that_ends_early(config, tmp_path, interval):
    """After its second epoch, which is seen only by the validation: the checkpoint is written anew, or at last."""
    early = dict(type='EarlyStoppingHook', monitor='accuracy/top1', rule='greater', patience=1)
    validated = tmp_path / 'validated.py'
    validated.write_text(f'_base_ = {str(config)!r}\nval_cfg = dict(_delete_=True, type="lgd_mm.SameFigureLoop")\n'
                         'val_evaluator = dict(_delete_=True, type="mmpretrain.Accuracy")\n'
                         'val_dataloader = dict(_delete_=True, batch_size=1)\n')
    end = run_here(validated, tmp_path, custom_hooks=[*_hooks('precise'), early], **{
        'train_cfg.val_interval': 1, 'default_hooks.checkpoint.interval': interval})
    assert (end['meta']['epoch'], end['meta']['iter']) == (2, 8)
    student = read_student(tmp_path / 'student.safetensors')[0]
    assert _mean_cosine(tmp_path / 'student.safetensors') < 0.9
    for key, value in student.items():
        assert torch.equal(value, end['state_dict'][f'backbone.{key}']), key
    assert 'in eval mode' not in _told(tmp_path)
    assert len(list(tmp_path.glob('epoch_*.pth'))) == (2 if interval == 1 else 1)


@pytest.mark.slow
def test_statistics_of_an_average_are_those_of_its_weights(config, runner, tmp_path):
    """EMAHook copies the running ones of the weights that it averages."""
    run_here(config, tmp_path / 'averaged', custom_hooks=[dict(type='EMAHook', momentum=0.1), *_hooks('precise')])
    student = read_student(tmp_path / 'averaged' / 'student.safetensors')[0]
    runner.model.backbone.load_state_dict(student)
    for norm in _norms(runner).values():
        norm.reset_running_stats()
    precise_bn._update(runner, 2048)
    for key, value in runner.model.backbone.state_dict().items():
        if key.endswith(STATISTICS):
            torch.testing.assert_close(value, student[key], rtol=1e-4, atol=1e-5, msg=key)


@pytest.mark.slow
@pytest.mark.parametrize('iteration', [6, 12])
def test_stopped_and_gone_on(runs, config, tmp_path, iteration):
    """In the middle, and after the last step of all."""
    hooks = [*_hooks('precise'), dict(type='lgd_mm.SignalHook', iteration=iteration, number=signal.SIGTERM)]
    with pytest.raises(Stopped):
        run_here(config, tmp_path, custom_hooks=hooks)
    end = run_here(config, tmp_path, 'auto', custom_hooks=_hooks('precise'))
    for key, value in runs['precise'][1]['state_dict'].items():
        assert torch.equal(value, end['state_dict'][key]), key
    student = read_student(tmp_path / 'student.safetensors')[0]
    assert torch.equal(student['conv1.bn.running_var'], end['state_dict']['backbone.conv1.bn.running_var'])


@pytest.fixture
def runner(config, tmp_path):
    """About to train."""
    forget_runs()
    cfg = Config.fromfile(config)
    cfg.work_dir, cfg.custom_hooks = str(tmp_path), []
    runner = Runner.from_cfg(cfg)
    runner._train_loop = runner.build_train_loop(runner.train_loop)
    return runner


def _norms(runner):
    return {name: norm for name, norm in runner.model.named_modules() if isinstance(norm, nn.BatchNorm2d)}


def test_mean_and_variance_are_those_of_all_images(runner):
    """As torch has them of a single batch."""
    before = {name: norm.running_mean.clone() for name, norm in _norms(runner).items()}
    loader = runner.train_loop.dataloader
    loader.batch_sampler.batch_size = 64
    (_, batch), = precise_bn._batches(runner, 2048)
    assert len(batch['inputs']) == 64
    assert precise_bn._update(runner, 2048) == 52
    found = {name: (norm.running_mean.clone(), norm.running_var.clone()) for name, norm in _norms(runner).items()}
    positions = {}
    for name, norm in _norms(runner).items():
        norm.momentum = 1.
        norm.register_forward_pre_hook(lambda _, inputs, name=name: positions.update(
            {name: inputs[0].numel() // inputs[0].shape[1]}))
    with torch.no_grad():
        runner.model.train()
        runner.model.embed(runner.model.data_preprocessor(batch)['inputs'])
    for name, norm in _norms(runner).items():
        whole = 1 - 1 / positions[name]  # torch divides by one less
        torch.testing.assert_close(found[name], (norm.running_mean, norm.running_var * whole), rtol=1e-4, atol=1e-5)
        assert not torch.equal(found[name][0], before[name])


@pytest.mark.parametrize('pictures', [64, 48])
def test_two_processes_equal_one(runner, monkeypatch, pictures):
    """Of four batches, and of three: one of them looks at the last without counting it."""
    forwards, sums = [], []
    runner.model.backbone.register_forward_hook(lambda *_: forwards.append(1))
    monkeypatch.setattr(precise_bn, 'all_reduce', lambda total: sums.append(total.clone()))

    def totals(rank, world):
        monkeypatch.setattr(precise_bn, 'get_rank', lambda: rank)
        monkeypatch.setattr(precise_bn, 'get_world_size', lambda: world)
        precise_bn._update(runner, pictures)
        assert len(forwards) == -(-pictures // 16 // world), 'none waits for another in vain'
        found = torch.cat(sums)
        forwards.clear(), sums.clear()
        return found

    torch.testing.assert_close(totals(0, 2) + totals(1, 2), totals(0, 1), rtol=1e-12, atol=0)


def test_what_training_does_not_move_stays(runner):
    norms = list(_norms(runner).values())
    norms[3].momentum = 0.
    before = [norm.running_var.clone() for norm in norms]
    backbone = runner.model.backbone
    backbone.norm_eval, backbone.frozen_stages = False, 2
    backbone.train()
    frozen = [not norm.training for norm in norms]
    assert 0 < sum(frozen) < 52
    modes = [module.training for module in runner.model.modules()]
    tracked = [norm.num_batches_tracked.clone() for norm in norms]
    precise_bn._update(runner, 64)
    for norm, same, var in zip(norms, frozen, before):
        assert torch.equal(norm.running_var, var) == (same or norm is norms[3])
    assert [module.training for module in runner.model.modules()] == modes
    assert all(map(torch.equal, tracked, (norm.num_batches_tracked for norm in norms)))
    assert all(norm.track_running_stats for norm in norms)


def test_only_batch_norms_are_as_in_training():
    model = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(), nn.Sequential(nn.BatchNorm1d(4, track_running_stats=False)))
    model.eval()
    with batch_statistics(model) as norms:
        assert norms == [model[0]] and not model[1].training
        vectors = torch.randn(9, 4) * 3 + 1
        torch.testing.assert_close(model(vectors).var(dim=0, correction=0), torch.ones(4), rtol=1e-3, atol=0)
    assert not any(module.training for module in model.modules()) and not model[0].running_mean.any()


def test_a_student_without_batch_norm(runner):
    runner.model.backbone = nn.Sequential(nn.Conv2d(3, 4, 1), nn.GroupNorm(2, 4))
    hook = PreciseBNHook()
    hook._pending = True
    told = []
    runner.logger.info = told.append
    hook.after_train(runner)
    assert told == ['no batch norm is trained: there are no statistics to bring up to date']


@HOOKS.register_module(force=True)
class BreakWeightHook(Hook):
    """Makes a weight of the student infinite at the end."""

    def after_train_epoch(self, runner) -> None:
        runner.model.backbone.conv2.conv.weight.data[3] = float('inf')


def test_a_student_that_is_not_finite_is_not_exported(config, tmp_path):
    hooks = [dict(type='lgd_mm.BreakWeightHook'), dict(type='lgd_mm.ExportStudentHook')]
    with pytest.raises(UserError, match=r'the student is not exported: 1 of its \d+ tensors hold NaN or infinity '
                                        r'\(backbone.conv2.conv.weight\); give a lower learning rate'):
        run_here(config, tmp_path, custom_hooks=hooks, **{'train_cfg.max_epochs': 1, 'param_scheduler': None})
    assert not list(tmp_path.glob('student*'))
