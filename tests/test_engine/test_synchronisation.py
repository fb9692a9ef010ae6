"""Nothing between two prints of the log waits for the device."""

from collections import Counter
from contextlib import contextmanager

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from torch.profiler import ProfilerActivity, profile

from tests.tiny import write_lgd_config, write_pictures

#: What brings a value, or a size that depends on values, from the device to Python; a mask as an index asks nonzero.
WAITING = {f'aten::{name}' for name in ('_local_scalar_dense', 'nonzero', 'masked_select', '_unique2',
                                        'unique_consecutive', 'equal', 'is_nonzero', 'bincount')}


@contextmanager
def waits():
    """Count the operations that would wait for a device, in the backward pass too."""
    count = Counter()
    with profile(activities=[ProfilerActivity.CPU], acc_events=True) as profiler:
        yield count
    count.update(event.name for event in profiler.events() if event.name in WAITING)


@pytest.mark.parametrize('wait', [
    lambda x: x.sum().item(), lambda x: x[x > 0], lambda x: bool(x.any()), lambda x: x.nonzero(),
    lambda x: float(x.max()), lambda x: x.unique(), lambda x: x.__setitem__(x > 0, 1.) or x[0].item()])
def test_the_counter_counts(wait):
    with waits() as count:
        wait(torch.tensor([1., 0., 2.]))
    assert sum(count.values()) >= 1


def test_the_counter_counts_in_backward_only_what_waits():
    x = torch.randn(3, 3, requires_grad=True)
    with waits() as count:
        (x.softmax(1).argmax(1) * x).sum().backward()
    assert not count
    with waits() as count:
        x.register_hook(lambda grad: grad.sum().item() and None)
        x.exp().sum().backward()
    assert count == {'aten::_local_scalar_dense': 1}


@pytest.mark.parametrize('categories', [4, 40], ids=['all-rows', 'touched-rows'])
def test_no_wait_between_prints(tmp_path, categories, monkeypatch):
    """The whole iteration of the shipped config: preprocessor, losses, bank, optimiser and every hook."""
    write_pictures(tmp_path / 'pictures', 24)
    cfg = Config.fromfile(write_lgd_config(
        tmp_path, tmp_path / 'pictures', model=dict(lgka=dict(categories=[f'name {chr(97 + i % 26)}{chr(97 + i // 26)}'
                                                                          for i in range(categories)])),
        train_cfg=dict(max_epochs=2), default_hooks=dict(logger=dict(interval=3))))
    cfg.work_dir = str(tmp_path / 'run')
    cfg.launcher = 'none'
    runner = Runner.from_cfg(cfg)
    counted = []
    run_iter = type(runner.train_loop).run_iter

    def counting(loop, batch_idx, data_batch):
        with waits() as count:
            run_iter(loop, batch_idx, data_batch)
        counted.append(count)

    monkeypatch.setattr(type(runner.train_loop), 'run_iter', counting)
    runner.train()
    assert len(counted) == 12
    assert [sum(count.values()) for number, count in enumerate(counted, start=1) if number % 3] == [0] * 8
    assert runner.message_hub.get_scalar('train/loss')._log_history.size == 12, 'every loss is in the history'
