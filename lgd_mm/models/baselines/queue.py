"""A first-in-first-out memory of embeddings, on the device."""

import torch
import torch.nn.functional as F
from mmengine.dist import all_gather
from torch import Tensor, nn

from lgd_mm.errors import UserError


class EmbeddingQueue(nn.Module):
    """The last embeddings of all processes; it begins with unit noise and travels in the checkpoint.

    Args:
        length (int): Number K of embeddings.
        width (int): Their width D.
    """

    embeddings: Tensor
    position: Tensor

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        if length < 1:
            raise UserError(f'model.queue_length is {length}: it must be at least 1')
        self.register_buffer('embeddings', F.normalize(torch.randn(length, width), dim=1))  # (K, D)
        self.register_buffer('position', torch.zeros((), dtype=torch.long))  # of the oldest

    def push(self, embeddings: Tensor) -> None:
        """Replace the oldest by those of all processes; nothing waits for the device.

        Args:
            embeddings (Tensor): Unit embeddings (B, D) of this process.

        Raises:
            UserError: If the batch of all processes is longer than the queue.
        """
        self.put(torch.cat(all_gather(embeddings)))

    @torch.no_grad()
    def put(self, batch: Tensor) -> None:
        """Replace the oldest by embeddings (N, D) that all processes have alike.

        Raises:
            UserError: If they are more than the queue is long.
        """
        length = len(self.embeddings)
        if len(batch) > length:
            raise UserError(f'model.queue_length is {length}, less than the batch of {len(batch)}: make it longer')
        places = (self.position + torch.arange(len(batch), device=batch.device)) % length
        self.embeddings.index_copy_(0, places, batch)
        self.position.add_(len(batch)).remainder_(length)
