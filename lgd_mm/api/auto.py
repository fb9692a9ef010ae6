"""Every ``'auto'`` of a pre-training is settled here, and nowhere else."""

import math
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch

from lgd_mm.api.methods import LGD, Recipe
from lgd_mm.api.values import AUTO, OPTIMIZERS, check_value
from lgd_mm.runs.environment import fast_bf16

#: Smallest batch of all processes that is chosen, and steps that an epoch has at least where there are enough images.
SMALLEST_BATCH, STEPS_PER_EPOCH = 16, 8


class Facts(NamedTuple):
    """What the settings depend on.

    Attributes:
        images (int): To train with.
        processes (int): That share a batch.
        teacher_size (int): Side of the teacher's images, in pixels.
        student_size (int, optional): Side of the only images that the student takes; None: any.
        memory (Callable[[int], tuple[int, int]]): Bytes that an image of a size takes, and bytes that there are.
    """

    images: int
    processes: int
    teacher_size: int
    student_size: int | None
    memory: Callable[[int], tuple[int, int]]


class Settings:
    """Settled values, and why each is as it is.

    Args:
        given (Mapping[str, Any]): The arguments, each ``'auto'`` or a value.
        facts (Facts): What the others depend on.
        earlier (Mapping[str, Any], optional): :attr:`values` of the run that is resumed: they stand for ``'auto'``.
            Defaults to None.
        recipe (Recipe): The method's. Defaults to that of LGD.

    Attributes:
        values (dict[str, Any]): ``image_size`` (pixels), ``batch_size`` (of a process), ``accumulate`` (batches of a
            step), ``epochs``, ``optimizer``, ``lr``, ``amp``, ``workers`` (of a process).
        reasons (dict[str, str]): For each.

    Raises:
        UserError: If a given value cannot be used.
    """

    def __init__(self, given: Mapping[str, Any], facts: Facts, earlier: Mapping[str, Any] | None = None,
                 recipe: Recipe = LGD.recipe) -> None:
        self.values: dict[str, Any] = {}
        self.reasons: dict[str, str] = {}
        self._given, self._facts, self._earlier, self._recipe = given, facts, earlier or {}, recipe
        for name, settle in dict(image_size=self._image_size, batch_size=self._batch_size, accumulate=self._accumulate,
                                 epochs=self._epochs, optimizer=self._optimizer, lr=self._lr, amp=self._amp,
                                 workers=self._workers).items():
            self._settle(name, settle)

    def record(self) -> dict[str, dict[str, Any]]:
        """Values and reasons, for the config."""
        return {name: dict(value=value, why=self.reasons[name]) for name, value in self.values.items()}

    @property
    def batch(self) -> int:
        """Images of an optimiser step, of all processes."""
        return int(self.values['batch_size'] * self.values['accumulate'] * self._facts.processes)

    @property
    def iterations(self) -> int:
        """Batches of an epoch; what does not fill one is left out."""
        together: int = self.values['batch_size'] * self._facts.processes
        return max(1, self._facts.images // together)

    def _settle(self, name: str, settle: Callable[[], tuple[Any, str]]) -> None:
        given = self._given.get(name, AUTO)
        if given != AUTO:
            check_value(name, given)
            self.values[name], self.reasons[name] = given, 'given'
        elif name in self._earlier:
            self.values[name], self.reasons[name] = self._earlier[name], 'auto: as in the run that is resumed'
        else:
            self.values[name], reason = settle()
            self.reasons[name] = f'auto: {reason}'

    def _image_size(self) -> tuple[int, str]:
        if self._facts.student_size:
            return self._facts.student_size, 'the only size that the student takes'
        published = self._recipe.image_size
        return min(self._facts.teacher_size, published), f"the teacher's size, at most the published {published}"

    def _wanted(self) -> int:
        """Batch of a process if there is memory for it."""
        images, processes = self._facts.images, self._facts.processes
        wanted = max(images // STEPS_PER_EPOCH, SMALLEST_BATCH) // processes
        return _power_of_two(max(1, min(wanted, self._recipe.batch, images // processes)))

    def _batch_size(self) -> tuple[int, str]:
        needed, there = self._facts.memory(self.values['image_size'])
        fits = _power_of_two(max(1, there // 2 // needed))
        return min(self._wanted(), fits), (
            f'a power of two, at most the published {self._recipe.batch}, with {STEPS_PER_EPOCH} steps or more in an '
            f'epoch, but {SMALLEST_BATCH} images or more; half of the memory would hold {fits} '
            f'({needed / 2**20:.0f} MiB each)')

    def _accumulate(self) -> tuple[int, str]:
        if self._given.get('batch_size', AUTO) != AUTO:
            return 1, 'the batch is given'
        wanted = self._wanted()
        return max(1, wanted // self.values['batch_size']), f'so that a step has the {wanted} images wanted'

    def _epochs(self) -> tuple[int, str]:
        published = self._recipe.epochs
        epochs = min(published, math.ceil(published * self._recipe.images / self._facts.images))
        return epochs, f'the published {published}, but no more views than the published run saw of ImageNet'

    def _optimizer(self) -> tuple[str, str]:
        steps = self.values['epochs'] * max(1, self.iterations // self.values['accumulate'])
        least = self._recipe.least_steps
        short = steps < least
        return OPTIMIZERS[short], f'{steps} steps: below {least}, the published SGD recipe is too short' if short else (
            f'the published one, as there are {steps} steps')

    def _lr(self) -> tuple[float, str]:
        if self.values['optimizer'] == 'sgd':
            published, batch = self._recipe.lr, self._recipe.batch
            return published * self.batch / batch, f'the published {published} x batch / {batch}'
        short = self._recipe.adamw_lr
        return round(short * math.sqrt(self.batch / SMALLEST_BATCH), 6), f'{short} x root of batch / {SMALLEST_BATCH}'

    def _amp(self) -> tuple[str, str]:
        if torch.cuda.is_available():
            return 'fp16', 'there is a GPU'
        return ('bf16', 'the processor has bf16 units') if fast_bf16() else ('off', 'the processor has no bf16 units')

    def _workers(self) -> tuple[int, str]:
        return workers(self._facts.processes)


def workers(processes: int) -> tuple[int, str]:
    """Loader processes of each training process, and why.

    Args:
        processes (int): That train on this machine.

    Returns:
        tuple[int, str]: 0: the training process loads by itself.
    """
    cores = len(os.sched_getaffinity(0))
    if torch.cuda.is_available():
        return min(8, max(1, cores // processes)), f'{cores} cores for {processes} process(es), at most 8 each'
    return min(4, cores // (2 * processes)), (f'half of {cores} cores for {processes} process(es), at most 4 each: '
                                              'training takes the rest')


def _power_of_two(number: int) -> int:
    """The largest that is not above the number."""
    return 1 << (number.bit_length() - 1)

