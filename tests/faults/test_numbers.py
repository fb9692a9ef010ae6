"""Gradients that are not finite, and students that learn nothing."""

import json
import os
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapper
from safetensors.torch import load_file

from lgd_mm.datasets.view_sampler import ViewSampler
from lgd_mm.engine.hooks import skipped_steps
from lgd_mm.engine.hooks.non_finite import _begin_momentum
from lgd_mm.engine.hooks.skipped_steps import save_steps
from lgd_mm.engine.loops import LaterBatches
from lgd_mm.engine.settings import set_finite_steps
from lgd_mm.errors import Stopped, UserError
from lgd_mm.models.necks import lgka
from lgd_mm.registry import HOOKS, OPTIM_WRAPPERS
from tests.faults.conftest import last_checkpoint, run_here

SEEDS = dict(type='lgd_mm.IterationSeedHook')


@HOOKS.register_module(force=True)
class PoisonHook(Hook):
    """Makes a gradient of some iterations NaN or infinite, and with it what the batch norms have seen."""

    batches: list = []

    def __init__(self, iterations, value) -> None:
        self.iterations, self.value = iterations, float(value)

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if runner.iter + 1 in self.iterations:
            self.batches.append(data_batch['inputs'])
            weight = runner.model.backbone.conv1.weight
            handle = weight.register_hook(lambda gradient: (handle.remove(), gradient * self.value)[1])
            runner.model.backbone.bn1.running_mean.fill_(self.value)


@HOOKS.register_module(force=True)
class PoisonStudentHook(Hook):
    """Makes every gradient of one of several students NaN."""

    def __init__(self, student) -> None:
        self.student = student

    def before_train(self, runner) -> None:
        weight = runner.model.students[self.student].backbone.conv1.weight
        weight.register_hook(lambda gradient: gradient * float('nan'))


@OPTIM_WRAPPERS.register_module(force=True)
class ScaledOptimWrapper(OptimWrapper):
    """mmengine's loss scaling, which wants a GPU, in the little that the hook sees of it."""

    def __init__(self, enabled=True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.loss_scaler = torch.amp.GradScaler('cpu', enabled=enabled)

    def backward(self, loss, **kwargs) -> None:
        self.loss_scaler.scale(loss).backward()
        self._inner_count += 1

    def step(self, **kwargs) -> None:
        self.loss_scaler.step(self.optimizer)
        self.loss_scaler.update()


@HOOKS.register_module(force=True)
class ConstantHook(Hook):
    """Makes the student's embeddings all the same."""

    def before_train_epoch(self, runner) -> None:
        last = [module for module in runner.model.neck.modules() if isinstance(module, torch.nn.Linear)][-1]
        torch.nn.init.zeros_(last.weight)
        torch.nn.init.ones_(last.bias)


def told(work_dir) -> str:
    return ''.join(path.read_text() for path in work_dir.glob('*/*.log'))


@pytest.fixture
def one_step_each(fault_config):
    return dict(config=fault_config, **{'optim_wrapper.accumulative_counts': 1, 'train_cfg.max_epochs': 1,
                                        'default_hooks.checkpoint.by_epoch': False})


@pytest.fixture
def one_label(monkeypatch):
    """The same pseudo label for all images."""
    begin = lgka.begin_update
    monkeypatch.setattr(lgka, 'begin_update', lambda bank, counts, features, labels, *rest: begin(
        bank, counts, features, torch.ones_like(labels), *rest))


@pytest.mark.parametrize('value', ['nan', 'inf'])
def test_step_is_skipped(one_step_each, tmp_path, value):
    hooks = [SEEDS, dict(type='lgd_mm.NonFiniteHook'), dict(type='lgd_mm.PoisonHook', iterations=[3], value=value)]
    from lgd_mm.io.safe_load import load_checkpoint_file
    end = run_here(work_dir=tmp_path, custom_hooks=hooks, **one_step_each)
    before, after = (load_checkpoint_file(tmp_path / f'iter_{number}.pth') for number in (2, 3))
    same = [key for key, value in before['state_dict'].items() if torch.equal(value, after['state_dict'][key])]
    moved = set(before['state_dict']) - set(same)
    assert moved == {'lgka.visual_bank', 'lgka.counts'} | {key for key in moved if key.endswith('num_batches_tracked')}
    torch.testing.assert_close(before['optimizer']['state'], after['optimizer']['state'], rtol=0, atol=0)
    assert all(tensor.isfinite().all() for tensor in end['state_dict'].values())
    assert not torch.equal(after['state_dict']['backbone.conv1.weight'], end['state_dict']['backbone.conv1.weight'])
    description = json.loads((tmp_path / 'skipped_steps/iter_3.json').read_text())
    assert description['iteration'] == 3 and description['losses'].keys() >= {'loss', 'loss_visual', 'loss_textual'}
    pictures, = description['pictures']
    assert len(pictures) == 4 and all(map(os.path.isfile, pictures))
    batch = load_file(tmp_path / 'skipped_steps/iter_3.safetensors')
    assert torch.equal(batch['0.inputs'], PoisonHook.batches[-1])
    assert '1 steps had gradients that are not finite and were skipped: iteration 3' in told(tmp_path)


def test_batch_norms_stay_over_all_batches_of_a_step(one_step_each, tmp_path):
    """The statistics of the first batch are poisoned, and the step comes with the third."""
    hooks = [SEEDS, dict(type='lgd_mm.NonFiniteHook'), dict(type='lgd_mm.PoisonHook', iterations=[1], value='nan')]
    end = run_here(work_dir=tmp_path, custom_hooks=hooks,
                   **{**one_step_each, 'optim_wrapper.accumulative_counts': 3})
    assert len(json.loads((tmp_path / 'skipped_steps/iter_3.json').read_text())['pictures']) == 3
    assert torch.equal(load_file(tmp_path / 'skipped_steps/iter_3.safetensors')['0.inputs'], PoisonHook.batches[-1])
    assert all(tensor.isfinite().all() for tensor in end['state_dict'].values())


def test_a_run_that_is_stopped_has_told_what_it_skipped(one_step_each, tmp_path):
    hooks = [SEEDS, dict(type='lgd_mm.NonFiniteHook'), dict(type='lgd_mm.PoisonHook', iterations=[2], value='nan'),
             dict(type='lgd_mm.SignalHook', iteration=3)]
    with pytest.raises(Stopped):
        run_here(work_dir=tmp_path, custom_hooks=hooks, **{
            **one_step_each, 'default_hooks.logger.interval': 100, 'default_hooks.checkpoint.interval': 100})
    assert 'were skipped: iteration 2' in told(tmp_path)
    batch = load_file(tmp_path / 'skipped_steps/iter_2.safetensors')
    assert torch.equal(batch['0.inputs'], PoisonHook.batches[-1])


def test_all_processes_keep_the_same_steps(tmp_path, monkeypatch):
    """The first ones; a step that began in the epoch before has the batches of this one."""
    monkeypatch.setattr(skipped_steps, 'KEPT', 2)
    pictures = [dict(inputs=torch.full((3, 2, 2), number, dtype=torch.uint8)) for number in range(24)]

    class Pictures(list):
        __getitem__ = lambda self, key: super().__getitem__(key.picture)  # noqa: E731
        get_data_info = lambda self, number: dict(img_path=f'{number}.png')  # noqa: E731

    for rank in (1, 0):
        dataset = Pictures(pictures)
        sampler = ViewSampler(dataset, shuffle=False, seed=0)
        loader = torch.utils.data.DataLoader(dataset, batch_sampler=torch.utils.data.BatchSampler(sampler, 4, True))
        object.__setattr__(loader, 'batch_sampler', LaterBatches(loader.batch_sampler))
        runner = SimpleNamespace(rank=rank, work_dir=tmp_path, train_dataloader=loader, epoch=1, seed=0)
        losses = dict(loss=torch.tensor(float('nan')))
        save_steps(runner, {range(5, 7): losses, range(7, 9): losses})
        save_steps(runner, {range(9, 11): losses})
    folder = tmp_path / 'skipped_steps'
    assert sorted(path.stem for path in folder.glob('*.safetensors')) == ['iter_7', 'iter_7_rank1', 'iter_9',
                                                                          'iter_9_rank1']
    assert {path.stem: json.loads(path.read_text())['pictures'] for path in folder.glob('*_rank1.json')} == {
        f'iter_{step}_rank1': [[f'{4 * batch + number}.png' for number in range(4)] for batch in batches]
        for step, batches in ((7, [0]), (9, [1, 2]), (11, [3, 4]))}
    kept = load_file(folder / 'iter_9.safetensors')
    assert {key: value[:, 0, 0, 0].tolist() for key, value in kept.items()} == {
        '0.inputs': [4, 5, 6, 7], '1.inputs': [8, 9, 10, 11]}


def test_a_loop_over_iterations_keeps_the_losses(one_step_each, tmp_path):
    hooks = [SEEDS, dict(type='lgd_mm.NonFiniteHook'), dict(type='lgd_mm.PoisonHook', iterations=[2], value='nan')]
    config = tmp_path / 'iterations.py'
    config.write_text(f'_base_ = {str(one_step_each.pop("config"))!r}\n'
                      "train_cfg = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=3)\nparam_scheduler = []\n")
    del one_step_each['train_cfg.max_epochs']
    run_here(config, tmp_path, custom_hooks=hooks, **one_step_each)
    kept, = (tmp_path / 'skipped_steps').iterdir()
    assert kept.name == 'iter_2.json' and json.loads(kept.read_text())['losses']['loss'] > 0


def test_momentum_is_not_left_unwritten_by_a_skipped_first_step():
    def step(optimizer, gradient, found):
        optimizer.found_inf = torch.tensor(float(found))  # as loss scaling says it to a fused optimiser
        weight.grad = torch.full_like(weight, gradient)
        optimizer.step()

    seen = []
    for begun, skipped in ((False, False), (True, False), (True, True)):
        weight = torch.nn.Parameter(torch.zeros(7))
        optimizer = torch.optim.SGD([weight], lr=0.1, momentum=0.9, fused=True)
        if begun:
            _begin_momentum(optimizer)
        if skipped:
            step(optimizer, 5.0, True)
            assert not optimizer.state[weight]['momentum_buffer'].any()
        step(optimizer, 0.3, False)
        step(optimizer, -0.7, False)
        seen.append(weight.detach().clone())
    assert torch.equal(seen[0], seen[1]) and torch.equal(seen[0], seen[2])


def test_too_many_end_the_run(one_step_each, tmp_path):
    hooks = [SEEDS, dict(type='lgd_mm.NonFiniteHook', most=2),
             dict(type='lgd_mm.PoisonHook', iterations=[1, 3, 4], value='nan')]
    with pytest.raises(UserError, match='2 steps one after another, up to iteration 4, had gradients that are not .*'
                                        'give a lower learning rate'):
        run_here(work_dir=tmp_path, custom_hooks=hooks, **one_step_each)


@pytest.mark.parametrize('poisoned, epochs', [(range(1, 99), 1), (range(1, 2), 0), (range(3, 99), 1)])
def test_a_run_that_ends_with_skipped_steps_is_no_success(one_step_each, tmp_path, poisoned, epochs):
    """All of them, the only one, and those after the weights have gone astray."""
    options = {**one_step_each, 'param_scheduler': None}
    if not epochs:
        del options['train_cfg.max_epochs']
        options['train_cfg'] = dict(_delete_=True, type='IterBasedTrainLoop', max_iters=1)
    hooks = [SEEDS, dict(type='lgd_mm.PoisonHook', iterations=list(poisoned), value='nan'),
             dict(type='lgd_mm.ExportStudentHook')]  # without NonFiniteHook, which every training has
    with pytest.raises(UserError, match=r'the last (5 of 5|1 of 1|3 of 5) steps had gradients that are not finite, and '
                                        'changed nothing: give a lower learning rate'):
        run_here(work_dir=tmp_path, custom_hooks=hooks, **options)
    assert not list(tmp_path.glob('student*'))


@pytest.mark.slow
def test_a_run_of_skipped_steps_is_none_when_it_goes_on(one_step_each, tmp_path):
    hooks = [SEEDS, dict(type='lgd_mm.PoisonHook', iterations=[1, 2, 3, 4, 5], value='nan'),
             dict(type='lgd_mm.ExportStudentHook')]
    for resume in (None, 'auto'):  # from the checkpoint after the fourth
        with pytest.raises(UserError, match='the last 5 of 5 steps'):
            run_here(work_dir=tmp_path, resume=resume, custom_hooks=hooks, **one_step_each)


@pytest.mark.slow
def test_one_student_that_is_lost_leaves_the_others(one_step_each, tmp_path):
    base = one_step_each.pop('config')
    student = Config.fromfile(base).model.to_dict()
    model = dict(type='lgd_mm.ManyStudents', teacher=student.pop('teacher'), students=dict(well=student, ill=student))
    (tmp_path / 'many.py').write_text(f'_base_ = {str(base)!r}\nmodel = dict(_delete_=True, **{model})\n')
    hooks = [SEEDS, dict(type='lgd_mm.PreciseBNHook'), dict(type='lgd_mm.HealthHook'),
             dict(type='lgd_mm.ExportStudentHook')]
    states = {}
    for name, more in (('whole', []), ('half', [dict(type='lgd_mm.PoisonStudentHook', student='ill')])):
        def run(name=name, more=more):
            run_here(tmp_path / 'many.py', tmp_path / name, custom_hooks=[*hooks, *more], **one_step_each)
        if more:
            with pytest.raises(UserError, match='student ill: the last 5 of 5 steps had gradients .* not finite'):
                run()
        else:
            run()
        states[name] = last_checkpoint(tmp_path / name)['state_dict']
    assert sorted(path.name for path in (tmp_path / 'half').glob('*.safetensors')) == ['student_well.safetensors']
    whole, half = ({key: value for key, value in state.items() if key.startswith('students.well.')}
                   for state in states.values())
    assert all(torch.equal(whole[key], half[key]) for key in whole), 'it becomes what it would have become'
    assert all(value.isfinite().all() for value in states['half'].values())


def test_every_training_has_the_hook():
    for hooks in (None, [], [dict(type='EMAHook')]):
        cfg = Config(dict(custom_hooks=hooks))
        set_finite_steps(cfg)
        set_finite_steps(cfg)
        assert [hook.type for hook in cfg.custom_hooks] == [*(['EMAHook'] if hooks else []), 'lgd_mm.NonFiniteHook']


@pytest.mark.slow
def test_a_loss_scale_that_only_falls_ends_the_run(one_step_each, tmp_path):
    hooks = [SEEDS, dict(type='lgd_mm.NonFiniteHook', most=3),
             dict(type='lgd_mm.PoisonHook', iterations=[2, 3, 4], value='inf')]
    options = {**one_step_each, 'optim_wrapper.type': 'lgd_mm.ScaledOptimWrapper'}
    with pytest.raises(UserError, match='by iteration 4, gradients .* the loss scale from 65536 to 8192: give a lower'):
        run_here(work_dir=tmp_path / 'many', custom_hooks=hooks, **options)
    hooks[-1]['iterations'] = [2, 3]
    end = run_here(work_dir=tmp_path / 'few', custom_hooks=hooks, **options)
    assert all(tensor.isfinite().all() for tensor in end['state_dict'].values())


def test_a_loss_scaler_that_is_off_skips_nothing_by_itself(one_step_each, tmp_path):
    hooks = [SEEDS, dict(type='lgd_mm.NonFiniteHook'), dict(type='lgd_mm.PoisonHook', iterations=[2], value='inf')]
    end = run_here(work_dir=tmp_path, custom_hooks=hooks, **one_step_each, **{
        'optim_wrapper.type': 'lgd_mm.ScaledOptimWrapper', 'optim_wrapper.enabled': False})
    assert all(tensor.isfinite().all() for tensor in end['state_dict'].values())
    assert 'were skipped: iteration 2' in told(tmp_path)


@pytest.mark.slow
def test_constant_embeddings_are_told(one_step_each, tmp_path):
    hooks = [dict(type='lgd_mm.HealthHook')]
    options = {**one_step_each, 'optim_wrapper.optimizer.lr': 0.0}
    run_here(work_dir=tmp_path / 'well', custom_hooks=hooks, **options)
    assert 'collapsed' not in told(tmp_path / 'well')
    run_here(work_dir=tmp_path / 'ill', custom_hooks=[*hooks, dict(type='lgd_mm.ConstantHook')], **options)
    assert 'collapsed: embeddings of different images have a mean cosine of 1.0000' in told(tmp_path / 'ill')


def test_one_category_for_all_and_rows_never_seen(one_step_each, tmp_path, one_label):
    run_here(work_dir=tmp_path, custom_hooks=[dict(type='lgd_mm.HealthHook')], **one_step_each)
    assert "20 of 20 images of this epoch were taken for 'dog'" in told(tmp_path)
    assert ('no image was taken for 3 of 4 categories, whose rows in the visual bank are as they began: cat, '
            'bicycle, tree') in told(tmp_path)


@pytest.mark.slow
def test_every_student_of_a_run_is_looked_at(one_step_each, tmp_path, one_label):
    base = one_step_each.pop('config')
    student = Config.fromfile(base).model.to_dict()
    model = dict(type='lgd_mm.ManyStudents', teacher=student.pop('teacher'), students=dict(
        objects=student, colours={**student, 'lgka': {**student['lgka'], 'categories': ['red', 'green']}}))
    config = tmp_path / 'many.py'
    config.write_text(f'_base_ = {str(base)!r}\nmodel = dict(_delete_=True, **{model})\n')
    run_here(config, tmp_path / 'run', custom_hooks=[dict(type='lgd_mm.HealthHook')], **one_step_each)
    assert "student objects: 20 of 20 images of this epoch were taken for 'dog'" in told(tmp_path / 'run')
    assert "student colours: 20 of 20 images of this epoch were taken for 'green'" in told(tmp_path / 'run')
    assert 'student colours: no image was taken for 1 of 2 categories' in told(tmp_path / 'run')


@pytest.mark.slow
def test_too_many_unreadable_images_end_the_run(one_step_each, fault_images, tmp_path):
    import shutil
    shutil.copytree(fault_images, tmp_path / 'pictures')
    for path in sorted((tmp_path / 'pictures').rglob('*.png'))[:6]:
        path.write_bytes(b'no image')
    options = {**one_step_each, 'train_dataloader.dataset.data_root': str(tmp_path / 'pictures')}
    run_here(work_dir=tmp_path / 'most', custom_hooks=[dict(type='lgd_mm.UnreadableImagesHook')], **options)
    with pytest.raises(UserError, match='6 of 20 images cannot be read, such as .*more than the share of 0.25'):
        run_here(work_dir=tmp_path / 'least', custom_hooks=[dict(type='lgd_mm.UnreadableImagesHook', most=0.25)],
                 **{**options, 'default_hooks.checkpoint.by_epoch': True})
    assert last_checkpoint(tmp_path / 'least')['meta']['epoch'] == 1, 'to go on from, once they are back'
