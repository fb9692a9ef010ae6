"""The same network under other names."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor


def renamed(weights: Mapping[str, Tensor], names: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Give weights the keys of another library, layer by layer.

    Libraries call the layers of one architecture by other names, but all register them in the order of computation. So
    the n-th entry of one is the n-th of the other, if all kinds and shapes agree; that they also compute the same is
    for a comparison of outputs to show.

    Args:
        weights (Mapping[str, Tensor]): A network's state, in the order of its layers.
        names (Mapping[str, Tensor]): State of the other library's network, without its head.

    Returns:
        dict[str, Tensor] | None: ``weights`` under the other's keys; None if the layers differ.
    """
    if _layers(weights.items()) != _layers(names.items()):
        return None
    return {key: value.detach().clone().contiguous() for key, value in zip(names, weights.values())}


def _layers(entries: Iterable[tuple[str, Tensor]]) -> list[tuple[str, torch.Size]]:
    return [(key.rsplit('.', 1)[-1], value.shape) for key, value in entries]
