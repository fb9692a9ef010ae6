"""Steps whose gradients are not finite are left out, told, and end the run when they go on."""

import json
from pathlib import Path
from typing import Any

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook, LoggerHook
from mmengine.runner import Runner
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.files import write_text
from lgd_mm.registry import HOOKS

#: Where skipped steps are described, below the work dir.
FOLDER = 'skipped_steps'


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Skips optimiser steps with NaN or infinite gradients, and ends a run that no longer has others.

    Weights, optimiser and the statistics of batch norms stay as they were. What was skipped is read from the device
    together with the losses that the logger prints: nothing waits for it. The views of a skipped batch are those of its
    iteration and the run's seed; its losses are written to ``skipped_steps/iter_N.json``.

    With loss scaling (fp16), torch's own scaler skips such steps and lowers its scale, which is how it finds the scale;
    they are not counted.

    Args:
        most (int): Skipped steps one after another that end the run. Defaults to 20.

    Raises:
        UserError: When there were so many.
    """

    priority = 'VERY_HIGH'

    def __init__(self, most: int = 20) -> None:
        self.most = most
        self._in_a_row = 0
        self._before: list[Tensor] | None = None
        self._steps: list[tuple[int, Tensor]] = []
        self._losses: dict[int, dict[str, Tensor]] = {}

    def before_train(self, runner: Runner) -> None:
        """Look at the gradients before each step."""
        self._interval = next((hook.interval for hook in runner.hooks if isinstance(hook, LoggerHook)), 1)
        model = runner.model
        _begin_momentum(runner.optim_wrapper.optimizer)
        self._statistics = [buffer for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)
                            for buffer in (module.running_mean, module.running_var) if buffer is not None]
        if not hasattr(runner.optim_wrapper, 'loss_scaler'):
            optimizer = runner.optim_wrapper.optimizer
            self._handle = optimizer.register_step_pre_hook(lambda *_: self._look(runner, optimizer))

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Keep the statistics of batch norms, which each forward pass of a step moves."""
        if self._before is None:
            self._before = [buffer.clone() for buffer in self._statistics]

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict[str, Tensor] | None = None) -> None:
        """Read what was skipped where the logger prints."""
        if self._steps and self._steps[-1][0] == runner.iter:
            self._losses[runner.iter] = {key: value.detach() for key, value in (outputs or {}).items()}
        if self.every_n_inner_iters(batch_idx, self._interval) or self.is_last_train_iter(runner) or (
                self.end_of_epoch(runner.train_dataloader, batch_idx)):
            self._report(runner)

    def after_train(self, runner: Runner) -> None:
        """Look no longer."""
        if hasattr(self, '_handle'):
            self._handle.remove()

    def _look(self, runner: Runner, optimizer: torch.optim.Optimizer) -> None:
        """Have the optimiser leave the step out if a gradient is not finite."""
        parameters = [each for group in optimizer.param_groups for each in group['params'] if each.grad is not None]
        finite = torch.stack(torch._foreach_norm([each.grad for each in parameters])).isfinite().all()
        self._steps.append((runner.iter, finite))
        for buffer, before in zip(self._statistics, self._before or ()):
            buffer.copy_(torch.where(finite, buffer, before))
        self._before = None
        if not finite.is_cuda:
            if not finite:
                for each in parameters:
                    each.grad = None  # such a parameter is passed over
        elif all(group.get('fused') for group in optimizer.param_groups):
            optimizer.found_inf = (~finite).float()  # type: ignore[attr-defined]  # fused kernels look at it themselves
        else:
            for each in parameters:  # the nearest without waiting: a step without gradient
                each.grad = torch.where(finite, each.grad, 0)

    def _report(self, runner: Runner) -> None:
        """Read which steps were skipped, in one transfer; tell them, and end the run after too many."""
        flags = torch.stack([finite for _, finite in self._steps]).tolist() if self._steps else []
        skipped = []
        for (iteration, _), finite in zip(self._steps, flags):
            self._in_a_row = 0 if finite else self._in_a_row + 1
            if not finite:
                skipped.append(iteration + 1)
                if is_main_process():
                    losses = {key: float(value) for key, value in self._losses[iteration].items()}
                    write_text(Path(runner.work_dir, FOLDER, f'iter_{iteration + 1}.json'), json.dumps(
                        dict(iteration=iteration + 1, seed=runner.seed, losses=losses), indent=1))
        self._steps.clear()
        self._losses.clear()
        if skipped:
            runner.logger.warning(
                f'{len(skipped)} steps had gradients that are not finite and were skipped: iteration '
                f'{", ".join(map(str, skipped[:5]))}{", ..." if len(skipped) > 5 else ""}; see {FOLDER}')
        if self._in_a_row >= self.most:
            raise UserError(f'{self._in_a_row} steps one after another, up to iteration {skipped[-1]}, had gradients '
                            f'that are not finite: see {Path(runner.work_dir, FOLDER)}, and give a lower learning rate '
                            '(optim_wrapper.optimizer.lr), --amp bf16 in place of fp16, or an earlier checkpoint '
                            '(--resume FILE)')


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
