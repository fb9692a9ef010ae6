"""Which picture comes when, and with which random numbers."""

from collections.abc import Iterator

import numpy as np
from mmengine.dataset import DefaultSampler

from lgd_mm.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class ViewSampler(DefaultSampler):
    """mmengine's sampler, with a seed for each view.

    The seed is a function of the run's seed, the epoch and the picture alone: a run with other workers or more
    processes, or one that was resumed, sees the same views.
    """

    def __iter__(self) -> Iterator[tuple[int, int]]:  # type: ignore[override]
        """Yield ``(index, seed)``."""
        for index in super().__iter__():
            sequence = np.random.SeedSequence([self.seed, self.epoch, index])
            yield index, int(sequence.generate_state(1)[0])
