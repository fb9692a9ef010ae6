"""Steps whose gradients are not finite are left out, told, and end the run when they go on."""

from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from lgd_mm.engine.guarded_step import Guard, all_finite
from lgd_mm.engine.hooks.skipped_steps import FOLDER, save_steps
from lgd_mm.engine.log_interval import log_interval
from lgd_mm.errors import DivergedError
from lgd_mm.models.bare_model import bare_model
from lgd_mm.models.many_students import ManyStudents, students_of, whose
from lgd_mm.registry import HOOKS

#: For a run that goes astray: one that goes on keeps its rate.
LOWER_RATE = ('give a lower learning rate (optim_wrapper.optimizer.lr) in a new run, that is without --resume, in '
              'another folder or with --overwrite')
#: For gradients that stay like that.
CURE = f'{LOWER_RATE}; in place of fp16, --amp bf16 may do'
#: In place of a student's name: steps that a loss scaler judges.
SCALED = '(scaled)'
#: Key of the checkpoint for what was counted.
STEPS = 'non_finite'


@HOOKS.register_module()
class NonFiniteHook(Hook):
    """Skips optimiser steps with NaN or infinite gradients, and ends a run that no longer has others.

    Weights, optimiser and the statistics of batch norms stay as they were, see
    :class:`lgd_mm.engine.guarded_step.Guard`; the students of ``lgd_mm.ManyStudents`` are judged each by itself. What
    was skipped is read from the device together with the losses that the logger prints: with a fused optimiser,
    nothing waits for it. Losses, images and views of a skipped step are written to ``skipped_steps``.

    With loss scaling (mmengine's ``AmpOptimWrapper``), torch's own scaler skips such steps, of all students together,
    and lowers its scale, which is how it finds the scale; they are not told, but a scale that has been halved ``most``
    times ends the run as well. A ``loss_scale`` that is a number is never lowered, and so never ends a run.

    A run whose steps were skipped up to its end, ``most`` of them or the second half of a shorter run, ends with the
    reason and exports no student.

    Args:
        most (int): Skipped steps one after another that end the run. Defaults to 20.

    Raises:
        UserError: When there were so many; of several students, when it is so with each.
    """

    priority = 'VERY_HIGH'

    def __init__(self, most: int = 20) -> None:
        self.most = most
        self._first = 0
        self._taken: dict[str, int] = {}  # steps, by student
        self._in_a_row: dict[str, int] = {}
        self._last: dict[str, int] = {}
        self._before: dict[str, list[Tensor]] = {}
        self._steps: list[tuple[range, dict[str, Tensor]]] = []
        self._losses: dict[int, dict[str, Tensor]] = {}
        self._guards: list[Guard] = []
        self._handles: list[RemovableHandle] = []

    def before_train(self, runner: Runner) -> None:
        """Look at the gradients before each step."""
        self._interval = log_interval(runner)
        model = bare_model(runner.model)
        parts = students_of(model) if isinstance(model, ManyStudents) else {'': model}
        self._statistics = {name: _statistics(part) for name, part in parts.items()}
        owners = {parameter: name for name, part in parts.items() for parameter in part.parameters()}
        wrapper = runner.optim_wrapper
        wrappers = [each for each in (wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper])
                    if isinstance(each.optimizer, torch.optim.Optimizer)]
        for each in wrappers:
            _begin_momentum(each.optimizer)
        self._scalers = [scaler for scaler in (getattr(each, 'loss_scaler', None) for each in wrappers)
                         if scaler is not None and scaler.is_enabled()]
        self._scales = [scaler.get_scale() for scaler in self._scalers]
        self._scaled = [each for each in wrappers if getattr(each, 'loss_scaler', None) in self._scalers]
        self._guards = [Guard(each.optimizer, lambda parameter: owners.get(parameter, ''),
                              lambda flags: self._look(runner, flags)) for each in wrappers if each not in self._scaled]
        self._handles = [each.optimizer.register_step_post_hook(lambda optimizer, *_: self._look_scaled(optimizer))
                         for each in self._scaled]

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Keep the statistics of batch norms, which each forward pass of a step moves."""
        self._stepped = False
        self._flag: Tensor | None = None
        if not self._before:
            self._before = {name: [buffer.clone() for buffer in buffers] for name, buffers in self._statistics.items()}
            self._first = runner.iter

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None,
                         outputs: dict[str, Tensor] | None = None) -> None:
        """Read what was skipped where the logger prints."""
        if not self._stepped:  # scaled, or a batch of a step that is still to come: an average must not see a NaN
            self._put_back({name: all_finite(buffers) for name, buffers in self._statistics.items() if buffers})
        if self._stepped or self._scaled:
            self._before = {}
        if any(each.should_update() for each in self._scaled):
            flag = torch.zeros((), dtype=torch.bool, device=_device(self._scaled[0].optimizer)) if (
                self._flag is None) else self._flag
            self._steps.append((range(runner.iter, runner.iter + 1), {SCALED: flag}))
        if self._steps and self._steps[-1][0][-1] == runner.iter:
            self._losses[runner.iter] = {key: value.detach() for key, value in (outputs or {}).items()
                                         if isinstance(value, Tensor)}
        if self.every_n_inner_iters(batch_idx, self._interval) or self.is_last_train_iter(runner) or (
                self.end_of_epoch(runner.train_dataloader, batch_idx)):
            self._tell(runner)
            self._end_after_too_many(runner)
        if self.is_last_train_iter(runner):
            self._end_without_success()  # before a validation, and before a checkpoint of it

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """A run that is stopped leaves nothing untold; here is only the first of its processes, so nothing ends."""
        self._tell(runner)
        checkpoint[STEPS] = dict(taken=self._taken, in_a_row=self._in_a_row, last=self._last)

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Go on counting, if the run goes on."""
        if runner._resume and STEPS in checkpoint:
            counted = checkpoint[STEPS]
            self._taken, self._in_a_row, self._last = map(dict, (counted[key] for key in ('taken', 'in_a_row', 'last')))

    def after_train(self, runner: Runner) -> None:
        """Look no longer, and end a run of which nothing came."""
        for guard in self._guards:
            guard.remove()
        for handle in self._handles:
            handle.remove()
        self._end_without_success()

    def broken(self) -> dict[str, str]:
        """Why nothing came of a student, by name."""
        sentences = {}
        for name, taken in self._taken.items():
            row = self._in_a_row[name]
            if row and (row == taken if name == SCALED else row >= min(self.most, (taken + 1) // 2)):
                student = '' if name == SCALED else name
                sentences[name] = (
                    f'{whose(student)}the last {row} of {taken} steps had gradients that are not finite, and changed '
                    f'nothing: {CURE}')
        return sentences

    def _look(self, runner: Runner, flags: dict[str, Tensor]) -> None:
        """Remember which parts of a step are left out, and that batch norms have seen nothing in them."""
        self._stepped = True
        self._steps.append((range(self._first, runner.iter + 1), flags))
        self._put_back(flags)

    def _look_scaled(self, optimizer: torch.optim.Optimizer) -> None:
        """The scaler has let a step pass, or hands a fused optimiser its flag."""
        found = getattr(optimizer, 'found_inf', None)
        flag = torch.ones((), dtype=torch.bool, device=_device(optimizer)) if found is None else found == 0
        self._flag = flag.all() if self._flag is None else self._flag & flag.all()

    def _put_back(self, flags: dict[str, Tensor]) -> None:
        """Let batch norms have seen nothing of what was not finite."""
        for name, finite in flags.items():
            for buffer, before in zip(self._statistics.get(name, ()), self._before.get(name, ())):
                buffer.copy_(torch.where(finite, buffer, before))

    def _tell(self, runner: Runner) -> None:
        """Read which steps were skipped, in one transfer, and tell them."""
        flags = [flag for _, parts in self._steps for flag in parts.values()]
        values = iter(torch.stack(flags).tolist() if flags else [])
        steps: dict[range, dict[str, Tensor]] = {}
        skipped: dict[str, list[int]] = {}
        for iterations, parts in self._steps:
            for name in parts:
                finite = next(values)
                self._taken[name] = self._taken.get(name, 0) + 1
                self._in_a_row[name] = 0 if finite else self._in_a_row.get(name, 0) + 1
                if not finite:
                    self._last[name] = iterations[-1] + 1
                    if name != SCALED:
                        steps[iterations] = self._losses[iterations[-1]]
                        skipped.setdefault(name, []).append(iterations[-1] + 1)
        self._steps.clear()
        self._losses.clear()
        if steps:
            save_steps(runner, steps)
        for name, numbers in skipped.items():
            runner.logger.warning(
                f'{whose(name)}{len(numbers)} steps had gradients that are not finite and were skipped: iteration '
                f'{", ".join(map(str, numbers[:5]))}{", ..." if len(numbers) > 5 else ""}; see {FOLDER}')

    def _end_without_success(self) -> None:
        broken = self.broken()
        if broken and len(broken) == len(self._taken):
            raise DivergedError(next(iter(broken.values())))

    def _end_after_too_many(self, runner: Runner) -> None:
        rows = {name: row for name, row in self._in_a_row.items() if name != SCALED}
        if rows and min(rows.values()) >= self.most:
            name, row = next(iter(rows.items()))
            raise DivergedError(f'{whose(name)}{row} steps one after another, up to iteration {self._last[name]}, had '
                                f'gradients that are not finite: see {Path(runner.work_dir, FOLDER)}, and {CURE}')
        for scaler, scale in zip(self._scalers, self._scales):
            if scaler.get_scale() <= scale / 2**self.most:
                raise DivergedError(f'by iteration {runner.iter + 1}, gradients that are not finite have lowered the '
                                    f'loss scale from {scale:g} to {scaler.get_scale():g}: {CURE}')


def _device(optimizer: torch.optim.Optimizer) -> torch.device:
    return optimizer.param_groups[0]['params'][0].device


def _statistics(part: nn.Module) -> list[Tensor]:
    """Running means and variances of the batch norms."""
    return [buffer for module in part.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)
            for buffer in (module.running_mean, module.running_var) if buffer is not None]


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
