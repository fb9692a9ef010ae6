"""A loop over epochs that goes on in the middle of one."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.utils.data import BatchSampler

from lgd_mm.datasets.view_sampler import ViewSampler
from lgd_mm.registry import LOOPS


@LOOPS.register_module()
class EpochLoop(EpochBasedTrainLoop):
    """mmengine's, which begins an epoch anew when it is resumed in the middle, and passes over the validation between
    the checkpoint it is resumed from and the next epoch.

    This one goes on with the batch that comes next; those before it are not loaded. It validates first where that is
    due: what is best, and how long nothing was better, is known as if the run had not been stopped.

    Takes the arguments of :class:`mmengine.runner.EpochBasedTrainLoop`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._batches = LaterBatches(self.dataloader.batch_sampler)
        # Past torch's guard, which forbids it: nobody has asked the loader for a batch yet.
        object.__setattr__(self.dataloader, 'batch_sampler', self._batches)

    def run(self) -> Any:
        """All epochs, or those that are left."""
        self.runner.call_hook('before_train')
        if self.runner._resume and self._epoch > 0 and self._iter == self._epoch * len(self.dataloader):
            self._validate()
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._validate()
        self.runner.call_hook('after_train')
        return self.runner.model

    def _validate(self) -> None:
        """Where it is due, after an epoch."""
        self._decide_current_val_interval()
        due = self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs
        if self.runner.val_loop is not None and self._epoch >= self.val_begin and due:
            self.runner.val_loop.run()

    def run_epoch(self) -> None:
        """One epoch, or the rest of it."""
        done = self._iter - self._epoch * len(self.dataloader)
        self.runner.call_hook('before_train_epoch')
        self.runner.model.train()
        self._batches.skip = done
        for index, batch in enumerate(self.dataloader, start=done):
            self.run_iter(index, batch)
        self.runner.call_hook('after_train_epoch')
        self._epoch += 1


def validate_where_resumed(runner: Runner, resumed_at: Any) -> None:
    """Validate a run that was resumed at its very end: the last checkpoint is saved before the validation, and the run
    had been stopped in between. :class:`EpochLoop` sees to it by itself.

    Args:
        runner (Runner): After training.
        resumed_at (tuple[int, int], optional): Epoch and iteration of the checkpoint.
    """
    if runner.val_loop is not None and (runner.epoch, runner.iter) == resumed_at and not isinstance(
            runner.train_loop, EpochLoop):
        # Not runner.val(): it begins a new run, for which EMAHook would take the average anew.
        runner.val_loop.run()


class LaterBatches:
    """A batch sampler that leaves out its first batches once.

    Args:
        batches (Any): The batch sampler.

    Attributes:
        skip (int): Batches to leave out of the next pass; a pass sets it back to 0.
    """

    def __init__(self, batches: Any) -> None:
        self.batches = batches
        self.skip = 0

    def __iter__(self) -> Iterator[list[Any]]:
        skip, self.skip = self.skip, 0  # at the first batch: torch makes an iterator more than it uses
        yield from self._from(skip)

    def _from(self, number: int) -> Iterator[list[Any]]:
        """The batches of an epoch from one on."""
        sampler = getattr(self.batches, 'sampler', None)
        if type(self.batches) is BatchSampler and isinstance(sampler, ViewSampler):
            sampler.first, number = number * self.batches.batch_size, 0
        return islice(self.batches, number, None)

    def of_epoch(self, numbers: Collection[int]) -> dict[int, list[Any]]:
        """What some batches of the epoch at hand ask the data set for.

        Args:
            numbers (Collection[int]): Of the batches, from 0.

        Returns:
            dict[int, list[Any]]: Number -> a key for each image.
        """
        first = min(numbers, default=0)
        batches = enumerate(islice(self._from(first), max(numbers, default=-1) + 1 - first), start=first)
        return {number: batch for number, batch in batches if number in numbers}

    def __len__(self) -> int:
        return len(self.batches)

    def __getattr__(self, name: str) -> Any:
        if name == 'batches':  # not there yet: in a copy that is being made
            raise AttributeError(name)
        return getattr(self.batches, name)
