"""Steps whose gradients are not finite are left out, told, and end the run when they go on."""

from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from lgd_mm.engine.log_interval import log_interval
from lgd_mm.engine.skipped_steps import FOLDER, save_steps
from lgd_mm.errors import UserError
from lgd_mm.registry import HOOKS

#: For gradients that stay like that.
CURE = ('give a lower learning rate (optim_wrapper.optimizer.lr), --amp bf16 in place of fp16, or an earlier '
        'checkpoint (--resume FILE)')


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Skips optimiser steps with NaN or infinite gradients, and ends a run that no longer has others.

    Weights, optimiser and the statistics of batch norms stay as they were. What was skipped is read from the device
    together with the losses that the logger prints: nothing waits for it. Losses, pictures and views of a skipped step
    are written to ``skipped_steps``.

    With loss scaling (mmengine's ``AmpOptimWrapper``), torch's own scaler skips such steps and lowers its scale, which
    is how it finds the scale; they are not told, but a scale that has been halved ``most`` times ends the run as well.
    A ``loss_scale`` that is a number is never lowered, and so never ends a run.

    Args:
        most (int): Skipped steps one after another that end the run. Defaults to 20.

    Raises:
        UserError: When there were so many.
    """

    priority = 'VERY_HIGH'

    def __init__(self, most: int = 20) -> None:
        self.most = most
        self._in_a_row = self._first = 0
        self._before: list[Tensor] | None = None
        self._steps: list[tuple[range, Tensor]] = []
        self._losses: dict[int, dict[str, Tensor]] = {}

    def before_train(self, runner: Runner) -> None:
        """Look at the gradients before each step."""
        self._interval = log_interval(runner)
        optimizer = runner.optim_wrapper.optimizer
        _begin_momentum(optimizer)
        self._statistics = [buffer for module in runner.model.modules()
                            if isinstance(module, nn.modules.batchnorm._BatchNorm)
                            for buffer in (module.running_mean, module.running_var) if buffer is not None]
        self._scaler = getattr(runner.optim_wrapper, 'loss_scaler', None)
        if self._scaler is None or not self._scaler.is_enabled():
            self._scaler = None
            self._handle = optimizer.register_step_pre_hook(lambda *_: self._look(runner, optimizer))
        else:
            self._scale = self._scaler.get_scale()

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Keep the statistics of batch norms, which each forward pass of a step moves."""
        if self._before is None:
            self._before = [buffer.clone() for buffer in self._statistics]
            self._first = runner.iter

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict[str, Tensor] | None = None) -> None:
        """Read what was skipped where the logger prints."""
        if self._scaler is not None and self._statistics:
            self._put_back(_all_finite(self._statistics))
        if self._steps and self._steps[-1][0][-1] == runner.iter:
            self._losses[runner.iter] = {key: value.detach() for key, value in (outputs or {}).items()}
        if self.every_n_inner_iters(batch_idx, self._interval) or self.is_last_train_iter(runner) or (
                self.end_of_epoch(runner.train_dataloader, batch_idx)):
            self._tell(runner)
            self._end_after_too_many(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """A run that is stopped leaves nothing untold; here is only the first of its processes, so nothing ends."""
        self._tell(runner)

    def after_train(self, runner: Runner) -> None:
        """Look no longer."""
        if hasattr(self, '_handle'):
            self._handle.remove()

    def _look(self, runner: Runner, optimizer: torch.optim.Optimizer) -> None:
        """Have the optimiser leave the step out if a gradient is not finite."""
        parameters = [each for group in optimizer.param_groups for each in group['params'] if each.grad is not None]
        finite = _all_finite([each.grad for each in parameters])
        self._steps.append((range(self._first, runner.iter + 1), finite))
        self._put_back(finite)
        if not finite.is_cuda:
            if not finite:
                for each in parameters:
                    each.grad = None  # such a parameter is passed over
        elif all(group.get('fused') for group in optimizer.param_groups):
            optimizer.found_inf = (~finite).float()  # type: ignore[attr-defined]  # fused kernels look at it themselves
        else:
            for each in parameters:  # the nearest without waiting: a step without gradient
                each.grad = torch.where(finite, each.grad, 0)

    def _put_back(self, finite: Tensor) -> None:
        """Let batch norms have seen nothing of what was not finite."""
        for buffer, before in zip(self._statistics, self._before or ()):
            buffer.copy_(torch.where(finite, buffer, before))
        self._before = None

    def _tell(self, runner: Runner) -> None:
        """Read which steps were skipped, in one transfer, and tell them."""
        flags = torch.stack([finite for _, finite in self._steps]).tolist() if self._steps else []
        steps = {}
        for (iterations, _), finite in zip(self._steps, flags):
            self._in_a_row = 0 if finite else self._in_a_row + 1
            if not finite:
                steps[iterations] = self._losses[iterations[-1]]
        self._steps.clear()
        self._losses.clear()
        if steps:
            save_steps(runner, steps)
            skipped = [iterations[-1] + 1 for iterations in steps]
            self._last = skipped[-1]
            runner.logger.warning(
                f'{len(skipped)} steps had gradients that are not finite and were skipped: iteration '
                f'{", ".join(map(str, skipped[:5]))}{", ..." if len(skipped) > 5 else ""}; see {FOLDER}')

    def _end_after_too_many(self, runner: Runner) -> None:
        if self._in_a_row >= self.most:
            raise UserError(f'{self._in_a_row} steps one after another, up to iteration {self._last}, had gradients '
                            f'that are not finite: see {Path(runner.work_dir, FOLDER)}, and {CURE}')
        if self._scaler is not None and self._scaler.get_scale() <= self._scale / 2**self.most:
            raise UserError(f'by iteration {runner.iter + 1}, gradients that are not finite have lowered the loss '
                            f'scale from {self._scale:g} to {self._scaler.get_scale():g}: {CURE}')


def _all_finite(tensors: list[Tensor]) -> Tensor:
    """A flag on their device; nothing waits for it."""
    return torch.stack(torch._foreach_norm(tensors)).isfinite().all()


def _begin_momentum(optimizer: torch.optim.Optimizer) -> None:
    """Let the momentum of fused SGD begin at zero, from which its first step is the same.

    torch leaves it unwritten in memory that held something else, if the first step is one that is skipped; with loss
    scaling it often is.
    """
    if not isinstance(optimizer, torch.optim.SGD):
        return
    for group in optimizer.param_groups:
        if group['fused'] and group['momentum'] and not group['dampening']:
            for each in group['params']:
                optimizer.state[each].setdefault('momentum_buffer', torch.zeros_like(each))
