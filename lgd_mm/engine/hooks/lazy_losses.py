"""Losses that are read from the device only when somebody looks at them."""

from typing import Any

import torch
from mmengine.hooks import RuntimeInfoHook
from mmengine.runner import Runner
from torch import Tensor

from lgd_mm.engine.log_interval import log_interval
from lgd_mm.registry import HOOKS


@HOOKS.register_module()
class LazyRuntimeInfoHook(RuntimeInfoHook):
    """mmengine's, which asks the device for every loss of every iteration and waits for it each time.

    This one keeps them on the device until the logger prints, a checkpoint is saved or the epoch ends, and then fetches
    them together; the history is the same.
    """

    def __init__(self) -> None:
        self._waiting: list[dict[str, Tensor]] = []

    def before_train(self, runner: Runner) -> None:
        """Find out when the logger prints."""
        super().before_train(runner)
        self._interval = log_interval(runner)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict[str, Any] | None = None,
                         outputs: dict[str, Any] | None = None) -> None:
        """Keep the losses; fetch them where the logger is about to print."""
        self._waiting.append({key: value.detach() for key, value in (outputs or {}).items()})
        last = self.is_last_train_iter(runner) or self.end_of_epoch(runner.train_dataloader, batch_idx)
        if last or self.every_n_inner_iters(batch_idx, self._interval):
            self._fetch(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """A checkpoint between two prints holds the whole history as well."""
        if self._waiting:
            self._fetch(runner)
            checkpoint['message_hub'] = runner.message_hub.state_dict()

    def _fetch(self, runner: Runner) -> None:
        """Bring what waits to the CPU in one transfer, into the history."""
        values = iter(torch.stack([value.float() for losses in self._waiting for value in losses.values()]).tolist()
                      if any(self._waiting) else [])
        for losses in self._waiting:
            for key in losses:
                runner.message_hub.update_scalar(f'train/{key}', next(values))
        self._waiting.clear()
