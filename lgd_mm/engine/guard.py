"""Optimiser steps that leave no trace where gradients are not finite, whatever the optimiser."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn


class Guard:
    """Leaves an optimiser's parameters and their state as they were where gradients are not finite.

    On a CPU such parameters are hidden from the step. On a GPU nothing waits: torch's fused optimisers look at a flag
    themselves, and of others both outcomes are kept on the device, of which the flag chooses one. The host waits only
    where it must: at the first step of a parameter, which makes its state, and for optimisers that count in Python.

    Args:
        optimizer (torch.optim.Optimizer): Of any kind.
        part_of (Callable[[nn.Parameter], str]): The part of the model a parameter belongs to; parts are judged apart.
        seen (Callable[[dict[str, Tensor]], None]): Gets a flag for each part with gradients, before each step: whether
            all of them are finite.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, part_of: Callable[[nn.Parameter], str],
                 seen: Callable[[dict[str, Tensor]], None]) -> None:
        self._optimizer, self._part_of, self._seen = optimizer, part_of, seen
        self._begun: set[nn.Parameter] = set()
        self._counts_in_python = False
        self._undo: Callable[[], None] = lambda: None
        _count_on_device(optimizer)
        self._handles = [optimizer.register_step_pre_hook(lambda *_: self._before()),
                         optimizer.register_step_post_hook(lambda *_: self._undo())]

    def remove(self) -> None:
        """Let the optimiser step as it likes."""
        for handle in self._handles:
            handle.remove()

    @torch.no_grad()
    def _before(self) -> None:
        """Look at the gradients, and settle what is undone after the step."""
        parts: dict[str, list[nn.Parameter]] = {}
        for group in self._optimizer.param_groups:
            for each in group['params']:
                if each.grad is not None:
                    parts.setdefault(self._part_of(each), []).append(each)
        flags = {part: all_finite([each.grad for each in parameters if each.grad is not None])
                 for part, parameters in parts.items()}
        self._seen(flags)
        parameters = [each for each in self._parameters() if each.grad is not None]
        on_gpu = _on_gpu(parameters)
        if on_gpu and len(parts) == 1 and all(group.get('fused') for group in self._optimizer.param_groups):
            finite, = flags.values()
            self._optimizer.found_inf = (~finite).float()  # type: ignore[attr-defined]  # fused kernels look at it
        elif on_gpu and not self._counts_in_python and self._begun.issuperset(parameters):
            self._choose_afterwards(parts, flags)
        else:
            self._hide(parts, {part: bool(finite) for part, finite in flags.items()})

    def _hide(self, parts: Mapping[str, list[nn.Parameter]], finite: Mapping[str, bool]) -> None:
        """Take the gradients away: the optimiser passes such parameters over. What it counts for all of them together
        is put back if it passes over all."""
        for part, parameters in parts.items():
            for each in parameters:
                if finite[part]:
                    self._begun.add(each)
                else:
                    each.grad = None
        groups = self._optimizer.param_groups
        before = [_numbers(group) for group in groups]

        def undo() -> None:
            self._counts_in_python |= any(map(_differ, before, map(_numbers, groups))) or not all(
                key in self._begun and _is_on_device(key, state) for key, state in self._optimizer.state.items())
            if not any(finite.values()):
                for group, numbers in zip(groups, before):
                    for key in _numbers(group).keys() - numbers.keys():  # begun to be counted in this step
                        del group[key]
                    group.update(numbers)

        self._undo = undo

    def _choose_afterwards(self, parts: Mapping[str, list[nn.Parameter]], flags: Mapping[str, Tensor]) -> None:
        before = [(each, each.clone(), {key: value.clone() for key, value in self._optimizer.state[each].items()
                                        if isinstance(value, Tensor)}, flags[part])
                  for part, parameters in parts.items() for each in parameters]

        def undo() -> None:
            with torch.no_grad():
                for each, weight, state, finite in before:
                    each.copy_(torch.where(finite, each, weight))
                    for key, value in state.items():
                        now = self._optimizer.state[each][key]
                        now.copy_(torch.where(finite, now, value))

        self._undo = undo

    def _parameters(self) -> list[nn.Parameter]:
        return [each for group in self._optimizer.param_groups for each in group['params']]


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


def _on_gpu(parameters: list[nn.Parameter]) -> bool:
    return all(each.is_cuda for each in parameters)


def _count_on_device(optimizer: torch.optim.Optimizer) -> None:
    """torch counts steps on the host unless it is asked to be capturable; on a CPU it cannot be."""
    for group in optimizer.param_groups:
        if 'capturable' not in group or group.get('fused'):
            continue
        group['capturable'] = _on_gpu(group['params'])
        for each in group['params']:
            state = optimizer.state.get(each, {})
            for key, value in state.items():
                if isinstance(value, Tensor) and not value.dim():
                    state[key] = value.to(each.device)


def _numbers(group: Mapping[str, Any]) -> dict[str, Any]:
    """What an optimiser may count in a group."""
    return {key: value.clone() if isinstance(value, Tensor) else value for key, value in group.items()
            if isinstance(value, (int, float, Tensor))}


def _differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return one.keys() != other.keys() or any(one[key] != other[key] for key in one)


def _is_on_device(parameter: Any, state: Mapping[str, Any]) -> bool:
    """Whether the state of a parameter holds nothing that changes on the host."""
    return all(value is None or isinstance(value, (bool, str)) or (
        isinstance(value, Tensor) and value.device == parameter.device) for value in state.values())
