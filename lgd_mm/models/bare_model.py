"""A runner's model."""

from typing import Any

from mmengine.model import is_model_wrapper
from torch import nn


def bare_model(model: nn.Module) -> Any:
    """A model without what spreads it over processes.

    Args:
        model (nn.Module): Of a runner.

    Returns:
        Any: The module that was configured.
    """
    return model.module if is_model_wrapper(model) else model
