"""Training that changes no weight."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from lgd_mm.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class ReadOnlyOptimWrapper(OptimWrapper):
    """Goes through the training data without a gradient or a step, for models that only remember what they see.

    It works under DistributedDataParallel, whose own training step knows nothing of the model's.

    Takes the arguments of :class:`mmengine.optim.OptimWrapper`.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """No gradient in the forward pass."""
        with torch.no_grad():
            yield

    def update_params(self, *args: Any, **kwargs: Any) -> None:
        """Change nothing."""
