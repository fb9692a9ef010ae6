"""Optimiser steps that leave no trace where gradients are not finite, whatever the optimiser."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Guard:
    """Leaves an optimiser's parameters and their state as they were where gradients are not finite.

    With ``fused=True``, SGD, Adam and AdamW of torch look at a flag themselves, and nothing waits for the device. From
    any other optimiser such parameters are hidden: on a GPU the host waits for the gradients once a step to know it.

    Args:
        optimizer (torch.optim.Optimizer): Of any kind.
        part_of (Callable[[nn.Parameter], str]): The part of the model a parameter belongs to; parts are judged apart.
        seen (Callable[[dict[str, Tensor]], None]): Gets a flag for each part with gradients, before each step: whether
            all of them are finite.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, part_of: Callable[[nn.Parameter], str],
                 seen: Callable[[dict[str, Tensor]], None]) -> None:
        self._optimizer, self._part_of, self._seen = optimizer, part_of, seen
        self._undo: Callable[[], None] = _nothing
        self._handles = [optimizer.register_step_pre_hook(lambda *_: self._before()),
                         optimizer.register_step_post_hook(lambda *_: self._after())]

    def remove(self) -> None:
        """Let the optimiser step as it likes."""
        for handle in self._handles:
            handle.remove()
        self._after()

    @torch.no_grad()
    def _before(self) -> None:
        """Look at the gradients, and see that the step leaves out what is not finite."""
        parts: dict[str, list[nn.Parameter]] = {}
        for group in self._optimizer.param_groups:
            for each in group['params']:
                if each.grad is not None:
                    parts.setdefault(self._part_of(each), []).append(each)
        flags = {part: all_finite([each.grad for each in parameters if each.grad is not None])
                 for part, parameters in parts.items()}
        self._seen(flags)
        if not _looks_at_a_flag(self._optimizer):
            self._hide(parts, [part for part, finite in flags.items() if not finite])
        elif len(parts) == 1:
            self._flag(*flags.values())
        else:
            self._step_apart(parts, flags)

    def _after(self) -> None:
        """Hold nothing between two steps."""
        undo, self._undo = self._undo, _nothing
        undo()
        self._optimizer.__dict__.pop('found_inf', None)

    def _flag(self, finite: Tensor) -> None:
        self._optimizer.found_inf = (~finite).float()  # type: ignore[attr-defined]  # as torch's loss scaler says it

    def _step_apart(self, parts: Mapping[str, list[nn.Parameter]], flags: Mapping[str, Tensor]) -> None:
        """There is one flag a step: the last part has the step that is about to come, and each other one its own."""
        gradients = {each: each.grad for parameters in parts.values() for each in parameters}

        def show(shown: Mapping[nn.Parameter, Tensor | None]) -> None:
            for each in gradients:
                each.grad = shown.get(each)

        self._undo = lambda: show(gradients)
        for number, (part, parameters) in enumerate(parts.items(), start=1):
            show({each: gradients[each] for each in parameters})
            self._flag(flags[part])
            if number < len(parts):
                type(self._optimizer).step.__wrapped__(self._optimizer)  # type: ignore[attr-defined]  # without hooks

    def _hide(self, parts: Mapping[str, list[nn.Parameter]], ill: list[str]) -> None:
        """Take the gradients away: the optimiser passes such parameters over. What it counts for all of them together
        is put back if it passes over all."""
        for part in ill:
            for each in parts[part]:
                each.grad = None
        if ill and len(ill) == len(parts):
            groups = self._optimizer.param_groups
            before = [_numbers(group) for group in groups]

            def undo() -> None:
                for group, numbers in zip(groups, before):
                    _put_back(group, numbers)

            self._undo = undo


def all_finite(tensors: list[Tensor]) -> Tensor:
    """Whether no value of some tensors is NaN or infinite.

    Args:
        tensors (list[Tensor]): On one device.

    Returns:
        Tensor: A flag (), on their device; nothing waits for it.
    """
    dense = [each._values() if each.is_sparse else each for each in tensors]
    dense = [each for each in dense if each.numel()]
    # The largest value and not the sum of squares, which overflows earlier.
    return torch.stack([norm.float() for norm in torch._foreach_norm(dense, float('inf'))]).isfinite().all() if (
        dense) else torch.tensor(True)


def _nothing() -> None:
    """There is nothing to undo."""


def _looks_at_a_flag(optimizer: torch.optim.Optimizer) -> bool:
    """Whether the kernels leave a step out by themselves. Momentum with dampening begins with the first gradient, and
    would be left unwritten if that one is left out."""
    return getattr(optimizer, '_step_supports_amp_scaling', False) and all(
        group.get('fused') and not (group.get('momentum') and group.get('dampening'))
        for group in optimizer.param_groups)


def _numbers(group: Mapping[str, Any]) -> dict[str, Any]:
    """What an optimiser may count in a group."""
    return {key: value.clone() if isinstance(value, Tensor) else value for key, value in group.items()
            if isinstance(value, (int, float, Tensor))}


def _put_back(group: dict[str, Any], numbers: Mapping[str, Any]) -> None:
    for key in _numbers(group).keys() - numbers.keys():  # begun to be counted in this step
        del group[key]
    group.update(numbers)
