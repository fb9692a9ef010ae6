"""A network that stays as it is while another one is trained on what it gives."""

from typing import Any

import torch
from torch import nn


class Frozen:
    """What :func:`freeze` puts in front of a network's class."""

    def train(self, mode: bool = True) -> Any:
        """Stay in eval mode."""
        super().train(False)  # type: ignore[misc]
        return self

    @torch.no_grad()
    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """As the network's own, without gradient."""
        return super().forward(*args, **kwargs)  # type: ignore[misc]


def freeze(network: nn.Module) -> None:
    """Let nothing move a network: its parameters ask for no gradient; it stays in eval mode whatever its own
    ``train()`` does, so that the statistics of batch norms stay and dropout is off; its forward pass keeps nothing for
    a backward one.

    It is still of its class, with the keys it had. Norms of it may be replaced afterwards, and weights go in as before.

    Args:
        network (nn.Module): Changed in place.
    """
    kind = type(network)
    if not isinstance(network, Frozen):
        # As torch's own parametrisations do it: a subclass of this one network, by the name of its class.
        network.__class__ = type(kind.__name__, (Frozen, kind), dict(__module__=kind.__module__))
    network.requires_grad_(False)
    network.train(False)
