"""Random states that are functions of the iteration."""

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from lgd_mm.registry import HOOKS


@HOOKS.register_module()
class IterationSeedHook(Hook):
    """Seeds torch before each iteration from the run's seed, the iteration and the rank.

    Dropout and stochastic depth then draw the same numbers in a resumed run as in one that never stopped.
    """

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: dict[str, Any] | None = None) -> None:
        """Set the CPU's and the devices' generators; nothing waits for a device."""
        seed = (runner.seed * 1_000_003 + runner.iter) * 4099 + runner.rank
        torch.default_generator.manual_seed(seed)
        if torch.cuda.is_available():
            torch.cuda.manual_seed(seed)
