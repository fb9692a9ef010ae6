"""Which image comes when, and with which random numbers."""

from collections.abc import Callable, Iterator, Sized
from itertools import chain, pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dataset import DefaultSampler
from numpy.typing import NDArray

from lgd_mm.datasets.local_permutation import LocalPermutation
from lgd_mm.datasets.permutation import Permutation
from lgd_mm.datasets.view_seeds import view_seeds
from lgd_mm.registry import DATA_SAMPLERS

#: Keys that are computed together.
AT_A_TIME = 4096
#: Images whose order is listed.
LISTED = 2**22


class ViewKey(NamedTuple):
    """What a data set is asked for."""

    picture: int  #: its index
    seed: int  #: of the view's random numbers
    number: int  #: of the view among those of its image


@DATA_SAMPLERS.register_module()
class ViewSampler(DefaultSampler):
    """mmengine's sampler, with a seed for each view.

    The seed is a function of the run's seed, the view's number and the image alone: a run with other workers or more
    processes, or one that was resumed, sees the same views.

    The order is mmengine's, whose list grows with the images; of more than four million it is a :class:`Permutation`,
    which takes no memory. Of images in shards that are far away it can be a :class:`LocalPermutation`.

    A data set with a method ``expect`` is told of the images of this process some time before they are asked for.

    Args:
        dataset (Sized): As in :class:`mmengine.dataset.DefaultSampler`.
        views (int, optional): Views of each image that are gone through, one an epoch, and then again. Defaults to
            None: a new one in every epoch.
        sequential (bool): Images that lie near each other come near each other. Defaults to False.
        **kwargs (Any): As in :class:`mmengine.dataset.DefaultSampler`.

    Attributes:
        first (int): Where in the epoch the next pass begins, as after a stop; a pass sets it back to 0. Not called
            skip, which mmengine takes for a method that a sampler without end has.
    """

    def __init__(self, dataset: Sized, views: int | None = None, sequential: bool = False,
                 **kwargs: Any) -> None:
        super().__init__(dataset, **kwargs)
        self.views, self.sequential = views, sequential
        self.first = 0

    @property
    def mixed(self) -> int:
        """Images from which those that follow each other come."""
        count = len(self.dataset)
        return LocalPermutation(count, 0).mixed if self.sequential and self.shuffle else count

    def __iter__(self) -> Iterator[ViewKey]:
        """Yield the keys of an epoch, of this process."""
        first, self.first = self.first, 0
        number = self.epoch % self.views if self.views else self.epoch
        for indices in self._announced(self._indices(first)):
            for index, seed in zip(indices.tolist(), view_seeds(self.seed, number, indices).tolist()):
                yield ViewKey(index, seed, number)

    def _indices(self, first: int) -> Iterator[NDArray[np.int64]]:
        """The images of an epoch, of this process, some at a time."""
        count, order, step = len(self.dataset), self._order(), AT_A_TIME * self.world_size
        end = self.total_size if self.round_up else count
        for start in range(self.rank + first * self.world_size, end, step):
            yield order(np.arange(start, min(start + step, end), self.world_size) % count)

    def _announced(self, indices: Iterator[NDArray[np.int64]]) -> Iterator[NDArray[np.int64]]:
        """The same, of which the data set knows the next before the last are used up."""
        expect = getattr(self.dataset, 'expect', None)
        if expect is None:
            yield from indices
            return
        for now, then in pairwise(chain((None, ), indices, (None, ))):
            if then is not None:
                expect(then)
            if now is not None:
                yield now

    def _order(self) -> Callable[[NDArray[np.int64]], NDArray[np.int64]]:
        """What comes at some places of the epoch."""
        count = len(self.dataset)
        if not self.shuffle:
            return lambda places: places
        if self.sequential:
            return LocalPermutation(count, self.seed + self.epoch).at
        if count > LISTED:
            return Permutation(count, self.seed + self.epoch).at
        listed = torch.randperm(count, generator=torch.Generator().manual_seed(self.seed + self.epoch)).numpy()
        return lambda places: listed[places]
