"""A loop over epochs that goes on in the middle of one."""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from mmengine.runner import EpochBasedTrainLoop

from lgd_mm.registry import LOOPS


@LOOPS.register_module()
class EpochLoop(EpochBasedTrainLoop):
    """mmengine's, which begins an epoch anew when it is resumed in the middle.

    This one goes on with the batch that comes next; those before it are not loaded.

    Takes the arguments of :class:`mmengine.runner.EpochBasedTrainLoop`.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._batches = LaterBatches(self.dataloader.batch_sampler)
        # Past torch's guard, which forbids it: nobody has asked the loader for a batch yet.
        object.__setattr__(self.dataloader, 'batch_sampler', self._batches)

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
        yield from islice(self.batches, skip, None)

    def of_epoch(self, numbers: Collection[int]) -> dict[int, list[Any]]:
        """What some batches of the epoch at hand ask the data set for; goes through the epoch once.

        Args:
            numbers (Collection[int]): Of the batches, from 0.

        Returns:
            dict[int, list[Any]]: Number -> a key for each image.
        """
        batches = enumerate(islice(self.batches, max(numbers, default=-1) + 1))
        return {number: batch for number, batch in batches if number in numbers}

    def __len__(self) -> int:
        return len(self.batches)

    def __getattr__(self, name: str) -> Any:
        if name == 'batches':  # not there yet: in a copy that is being made
            raise AttributeError(name)
        return getattr(self.batches, name)
