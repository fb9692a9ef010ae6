"""Which image comes when, and with which random numbers."""

from collections.abc import Iterator, Sized
from typing import Any, NamedTuple

import numpy as np
from mmengine.dataset import DefaultSampler

from lgd_mm.registry import DATA_SAMPLERS


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

    Args:
        dataset (Sized): As in :class:`mmengine.dataset.DefaultSampler`.
        views (int, optional): Views of each image that are gone through, one an epoch, and then again. Defaults to
            None: a new one in every epoch.
        **kwargs (Any): As in :class:`mmengine.dataset.DefaultSampler`.
    """

    def __init__(self, dataset: Sized, views: int | None = None, **kwargs: Any) -> None:
        super().__init__(dataset, **kwargs)
        self.views = views

    def __iter__(self) -> Iterator[ViewKey]:
        """Yield the keys of an epoch."""
        number = self.epoch % self.views if self.views else self.epoch
        for index in super().__iter__():
            yield ViewKey(index, view_seed(self.seed, number, index), number)


def view_seed(seed: int, number: int, index: int) -> int:
    """Seed of a view.

    Args:
        seed (int): Of the run.
        number (int): Of the view.
        index (int): Of the image.

    Returns:
        int: Below 2 ** 32.
    """
    return int(np.random.SeedSequence([seed, number, index]).generate_state(1)[0])
