"""Nothing between two prints of the log waits for the device."""

import io
from collections import Counter
from contextlib import contextmanager
from itertools import count

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from rich.console import Console
from torch.profiler import ProfilerActivity, profile

from lgd_mm.engine.progress import progress_bar
from lgd_mm.registry import MODELS
from lgd_mm.students.file import write_student
from tests.tiny import write_images, write_lgd_config

#: What brings a value, or a size that depends on values, from the device to Python; a mask as an index asks nonzero.
#: And what brings numbers of Python to the device: tensor() and new_tensor() wait for it, and end in detach_.
WAITING = {f'aten::{name}' for name in ('_local_scalar_dense', 'nonzero', 'masked_select', '_unique2',
                                        'unique_consecutive', 'equal', 'is_nonzero', 'bincount', 'detach_')}


@contextmanager
def waits():
    """Count the operations that would wait for a device, in the backward pass too."""
    found = Counter()
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as profiler:
        yield found
    found.update(event.name for event in profiler.events() if event.name in WAITING)


@pytest.mark.parametrize('wait', [
    lambda x: x.sum().item(), lambda x: x[x > 0], lambda x: bool(x.any()), lambda x: x.nonzero(),
    lambda x: float(x.max()), lambda x: x.unique(), lambda x: x.__setitem__(x > 0, 1.) or x[0].item(),
    lambda x: x.new_tensor((1, 2))])
def test_the_counter_counts(wait):
    with waits() as found:
        wait(torch.tensor([1., 0., 2.]))
    assert sum(found.values()) >= 1


def test_the_counter_counts_in_backward_only_what_waits():
    x = torch.randn(3, 3, requires_grad=True)
    with waits() as found:
        (x.softmax(1).argmax(1) * x).sum().backward()
    assert not found
    with waits() as found:
        x.register_hook(lambda grad: grad.sum().item() and None)
        x.exp().sum().backward()
    assert found == {'aten::_local_scalar_dense': 1}


def dense(folder):
    """All that dense guidance learns, of two teachers."""
    slim = dict(type='mmpretrain.ResNet', depth=18, stem_channels=4, base_channels=4)
    write_student(MODELS.build(slim).state_dict(), {}, folder / 'second')
    second = dict(type='lgd_mm.BackboneTeacher', backbone=slim, checkpoint=str(folder / 'second.safetensors'))
    return dict(backbone=dict(out_indices=(1, 2, 3)), dense=dict(
        type='lgd_mm.DenseGuidance', feature=1., mimicking=1., structure=dict(teacher=second)))


@pytest.fixture(params=[(4, False), (40, False), (4, True)], ids=['all-rows', 'touched-rows', 'dense'])
def runner(request, tmp_path):
    """The shipped config with so many names, printing every third iteration of six, in two epochs."""
    write_images(tmp_path / 'pictures', 12)
    count, positions = request.param
    names = [f'name {chr(97 + i % 26)}{chr(97 + i // 26)}' for i in range(count)]
    model = {**(dense(tmp_path) if positions else {}), 'lgka': dict(categories=names)}
    cfg = Config.fromfile(write_lgd_config(
        tmp_path, tmp_path / 'pictures', model=model, train_cfg=dict(max_epochs=2),
        default_hooks=dict(logger=dict(interval=3))))
    cfg.work_dir = str(tmp_path / 'run')
    cfg.launcher = 'none'
    return Runner.from_cfg(cfg)


def watch(runner, monkeypatch, iteration):
    """Have ``iteration(number, run)`` run each iteration, from 1."""
    run_iter, numbers = type(runner.train_loop).run_iter, count(1)
    monkeypatch.setattr(type(runner.train_loop), 'run_iter', lambda loop, batch_idx, data_batch: iteration(
        next(numbers), lambda: run_iter(loop, batch_idx, data_batch)))


def test_no_wait_between_prints(runner, monkeypatch):
    """The whole iteration: preprocessor, losses, bank, optimiser and every hook."""
    counted = []

    def counting(number, run):
        with waits() as found:
            run()
        counted.append(found)

    watch(runner, monkeypatch, counting)
    with progress_bar(runner, Console(file=io.StringIO(), force_terminal=True)):
        runner.train()
    assert len(counted) == 6
    assert [sum(found.values()) for number, found in enumerate(counted, start=1) if number % 3] == [0] * 4
    assert runner.message_hub.get_scalar('train/loss')._log_history.size == 6, 'every loss is in the history'


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_no_wait_on_a_gpu(runner, monkeypatch):
    """CUDA's own check, which raises where the host would wait."""
    def forbidding(number, run):
        torch.cuda.set_sync_debug_mode('error' if number % 3 else 'default')
        try:
            run()
        finally:
            torch.cuda.set_sync_debug_mode('default')

    watch(runner, monkeypatch, forbidding)
    with progress_bar(runner, Console(file=io.StringIO(), force_terminal=True)):
        runner.train()
