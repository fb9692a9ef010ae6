"""A run that goes on with another length has the rates of that length from there on."""

import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.runner import Runner

from lgd_mm.engine.checks.same_run import _other_positions, check_same_run, follow_schedule, schedule_differs
from lgd_mm.errors import UserError

EPOCH = 5


class Stepping:
    """What of a runner a schedule needs."""

    build_param_scheduler, _build_param_scheduler = Runner.build_param_scheduler, Runner._build_param_scheduler

    def __init__(self, epochs):
        self.cfg = Config(dict(
            train_cfg=dict(max_epochs=epochs), load_from='epoch_2.pth', param_scheduler=[
                dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=3),
                dict(type='CosineAnnealingLR', by_epoch=True, convert_to_iter_based=True),
                dict(type='MultiStepLR', by_epoch=True, milestones=[1, 3], gamma=0.5)]))
        self.optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
        self.optim_wrapper = OptimWrapper(self.optimizer)
        self.train_dataloader = range(EPOCH)
        self.train_loop = self._train_loop = SimpleNamespace(max_epochs=epochs, max_iters=epochs * EPOCH)
        self.max_epochs, self.iter, self.epoch = epochs, 0, 0
        self.param_schedulers = self.build_param_scheduler(self.cfg.param_scheduler)

    def train(self, iterations):
        """The rates of some iterations, stepped as mmengine's hook does."""
        rates = []
        for _ in range(iterations):
            rates.append(self.optimizer.param_groups[0]['lr'])
            self.optimizer.step()
            self.iter += 1
            for scheduler in self.param_schedulers:
                if not scheduler.by_epoch:
                    scheduler.step()
            if self.iter % EPOCH == 0:
                self.epoch += 1
                for scheduler in self.param_schedulers:
                    if scheduler.by_epoch:
                        scheduler.step()
        return rates


@pytest.mark.parametrize('done', [0, 2, 5, 9, 10])
@pytest.mark.parametrize('epochs', [2, 4, 7])
def test_rates_are_those_of_the_new_length(done, epochs):
    """As if it had been begun with it; with the same length, as it was."""
    whole, begun, longer = Stepping(epochs).train(epochs * EPOCH), Stepping(2), Stepping(epochs)
    begun.train(done)
    longer.iter, longer.epoch = done, done // EPOCH
    longer.optimizer.load_state_dict(begun.optimizer.state_dict())
    for scheduler, before in zip(longer.param_schedulers, begun.param_schedulers):
        scheduler.load_state_dict(before.state_dict())
    follow_schedule(longer)
    torch.testing.assert_close(longer.train(epochs * EPOCH - done), whole[done:], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize('none', [None, []])
def test_no_schedule_is_one_too(none):
    """The rates are then those of the optimiser, of each group; and one that comes later is followed from there."""
    begun, without, again = Stepping(2), Stepping(2), Stepping(2)
    begun.train(7)
    without.cfg.param_scheduler, without.param_schedulers, without.iter, without.epoch = none, none, 7, 1
    without.optimizer.load_state_dict(begun.optimizer.state_dict())
    assert without.optimizer.param_groups[0]['lr'] < 0.3
    follow_schedule(without)
    assert without.optimizer.param_groups[0]['lr'] == 0.4 and without.param_schedulers == none
    again.optimizer.load_state_dict(without.optimizer.state_dict())
    again.iter, again.epoch = 7, 1
    follow_schedule(again)
    assert again.train(3) == pytest.approx(Stepping(2).train(10)[7:])


def test_what_is_told_and_what_is_not(capsys):
    """A longer run is told; files that lie elsewhere, and how something is computed, are the user's matter."""
    before = Config(dict(
        model=dict(backbone=dict(type='ResNet', norm_cfg=dict(type='SyncBN')), teacher=dict(model='local-dir:/a')),
        optim_wrapper=dict(type='OptimWrapper', optimizer=dict(lr=0.1, betas=(0.9, 0.99))),
        train_cfg=dict(max_epochs=2), train_dataloader=dict(num_workers=1, dataset=dict(data_root='/a', index='/x'))))
    after = Config(before.to_dict())
    after.merge_from_dict({
        'model.backbone.norm_cfg.type': 'BN', 'model.teacher.model': 'local-dir:/b', 'train_dataloader.num_workers': 4,
        'train_dataloader.dataset.data_root': '/b', 'train_dataloader.dataset.index': 's3://b/y',
        'optim_wrapper.type': 'AmpOptimWrapper',
        'optim_wrapper.optimizer.betas': [0.9, 0.99], 'model.backbone.init_cfg': dict(type='Pretrained'),
        'model.backbone.zero_init_residual': False})
    meta = dict(cfg=before.pretty_text, epoch=2, iter=10)
    check_same_run(after, meta, torch.nn.Identity(), 'a.pth')
    assert not schedule_differs(after, meta) and not capsys.readouterr().out
    after.train_cfg.max_epochs = 3
    check_same_run(after, meta, torch.nn.Identity(), 'a.pth')
    assert schedule_differs(after, meta) and 'another length' in capsys.readouterr().out
    after.custom_hooks = [dict(type='mmpretrain.EMAHook')]
    with pytest.raises(UserError, match=r'a\.pth is of a run with custom_hooks=without EMAHook, and here it is with'):
        check_same_run(after, meta, torch.nn.Identity(), 'a.pth')


@pytest.mark.parametrize(('part', 'key', 'value'), [
    (('teacher', ), 'dense_stride', 32), (('teacher', ), 'dense_mode', 'naclip'),
    (('dense', 'structure', 'teacher'), 'class_token', True), (('dense', 'structure', 'teacher'), 'image_size', 224)])
def test_teachers_of_other_positions(part, key, value):
    """Which no fingerprint tells."""
    model = dict(teacher=dict(dense_stride=16), dense=dict(structure=dict(teacher=dict(class_token=False))))
    other = copy.deepcopy(model)
    place = other
    for name in part:
        place = place[name]
    before = place.get(key)
    place[key] = value
    name = '.'.join(('model', *part, key))
    assert list(_other_positions(dict(model=model), dict(model=other))) == [(name, before, value)]
    assert list(_other_positions(dict(model=model), dict(model=model))) == []
