"""A run that is asked to stop saves what it has and ends."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any

import torch
from mmengine.dist import get_world_size, is_distributed
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch import distributed

from lgd_mm.console.interrupts import end_soon, leave_terminal, tell
from lgd_mm.engine.hooks.checkpoints import CheckpointHook
from lgd_mm.engine.loader_workers import SIGNALS
from lgd_mm.engine.processes import patience
from lgd_mm.errors import Stopped


@contextmanager
def stopped_by_signals(runner: Runner) -> Iterator[None]:
    """Let SIGINT, SIGTERM, SIGHUP and SIGUSR1 end the training after the step at hand, with a checkpoint to go on from;
    the second SIGINT ends it at once. Others that come again are one: a scheduler sends them to all processes, and
    torchrun hands its own on. SIGHUP stays ignored where nohup has it so.

    Args:
        runner (Runner): About to train.

    Raises:
        Stopped: By the training, once the checkpoint is written.
    """
    if threading.current_thread() is not threading.main_thread():  # others get no signals
        yield
        return
    hook = StopHook(patience(runner.cfg))
    runner.register_hook(hook, priority='LOWEST')
    before = {number: signal.signal(number, hook.ask) for number in SIGNALS
              if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class StopHook(Hook):
    """Ends the training after the step at hand, once a signal has come to any of its processes.

    Args:
        timeout (timedelta, optional): How long a process waits for the others. Defaults to None: as long as torch does.
    """

    def __init__(self, timeout: timedelta | None = None) -> None:
        self._process = os.getpid()
        self._asked = 0
        self._common: int | None = None
        # The processes tell each other over the CPU: nothing waits for a device.
        other = is_distributed() and distributed.get_backend() != 'gloo'
        self._group = distributed.new_group(backend='gloo', timeout=timeout) if other else None

    def ask(self, number: int, frame: FrameType | None) -> None:
        """Take a signal."""
        if os.getpid() == self._process:  # not in a loader's worker, which the training process ends
            self._asked = self._asked or number
            signal.signal(signal.SIGINT, end_soon)
            if number == signal.SIGHUP:
                leave_terminal()
            if number == signal.SIGINT:
                tell('stopping after the step at hand, which is saved; Ctrl-C again ends at once')

    def before_train(self, runner: Runner) -> None:
        """See how many batches of an epoch every process has: behind those there is nobody to ask."""
        if get_world_size() > 1 and isinstance(runner.train_loop, EpochBasedTrainLoop):
            batches = torch.tensor(len(runner.train_loop.dataloader))
            distributed.all_reduce(batches, distributed.ReduceOp.MIN, group=self._group)
            self._common = int(batches)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict[str, Any] | None = None) -> None:
        """Save and end, if a process was asked to.

        Raises:
            Stopped: Once the checkpoint is written.
        """
        if self._common is not None and batch_idx >= self._common:
            return
        number = self._asked
        if get_world_size() > 1:
            everyones = torch.tensor(number)
            distributed.all_reduce(everyones, distributed.ReduceOp.MAX, group=self._group)
            number = int(everyones)
        if number:
            saver = next((hook for hook in runner.hooks if isinstance(hook, CheckpointHook)), None)
            if saver is not None:
                saver.save_now(runner)
            raise Stopped(number, f'stopped by {signal.Signals(number).name} after iteration {runner.iter + 1:,}, ' + (
                'which is saved: go on with --resume' if saver is not None else
                'which is not saved: the config has no lgd_mm.CheckpointHook'))
