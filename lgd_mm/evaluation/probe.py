"""Linear probes of all learning rates at once, on features that lie in memory."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from lgd_mm.errors import UserError

#: Images in a step of training.
BATCH = 256
#: Images classified at a time: 1,024 x 7 rates x 1,000 classes take 28 MB.
CHUNK = 1024
#: Part of the training images that only choose the rate.
HELD_OUT = 0.1


class Probes(NamedTuple):
    """One layer for each of L rates.

    Attributes:
        weight (Tensor): (L, C, d).
        bias (Tensor): (L, C).
    """

    weight: Tensor
    bias: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """Logits (B, L, C) of features (B, d), by one product."""
        return F.linear(features.float(), self.weight.flatten(0, 1), self.bias.flatten()).unflatten(1, self.bias.shape)


def train_probes(features: Tensor, labels: Tensor, num_classes: int, rates: Sequence[float], epochs: int,
                 seed: int) -> Probes:
    """Train a linear layer with each rate, over the same batches: SGD, momentum 0.9, cosine, no weight decay.

    Args:
        features (Tensor): (N, d), float16 or float32.
        labels (Tensor): Classes (N, ), on the same device.
        num_classes (int): Number of classes C.
        rates (Sequence[float]): L learning rates.
        epochs (int): Passes over the features.
        seed (int): Of the first weights and of the batches.

    Returns:
        Probes: On the device of the features.
    """
    generator = torch.Generator().manual_seed(seed)
    first = 0.01 * torch.randn(num_classes, features.shape[1], generator=generator)  # as LinearClsHead begins
    probes = Probes(
        first.to(features.device).repeat(len(rates), 1, 1).requires_grad_(),
        torch.zeros(len(rates), num_classes, device=features.device, requires_grad=True))
    # A step of SGD is proportional to the gradients it has seen: a loss times r and rate 1 move as the loss and rate r.
    scale = torch.tensor(rates, device=features.device)
    optimizer = torch.optim.SGD(probes, lr=1, momentum=0.9)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * -(-len(features) // BATCH))
    for _ in range(epochs):
        for batch in torch.randperm(len(features), generator=generator).to(features.device).split(BATCH):
            logits = probes.logits(features[batch])
            targets = labels[batch, None].expand(-1, len(rates))
            losses = F.cross_entropy(logits.movedim(2, 1), targets, reduction='none').mean(dim=0)  # (L, )
            optimizer.zero_grad()
            (losses * scale).sum().backward()
            optimizer.step()
            schedule.step()
    return Probes(*(part.detach() for part in probes))


def top1(probes: Probes, features: Tensor, labels: Tensor) -> Tensor:
    """Percent of the images that each probe classifies rightly.

    Args:
        probes (Probes): Of L rates.
        features (Tensor): (N, d).
        labels (Tensor): Classes (N, ).

    Returns:
        Tensor: (L, ).
    """
    right = [(probes.logits(part).argmax(dim=2) == truth[:, None]).sum(dim=0)
             for part, truth in zip(features.split(CHUNK), labels.split(CHUNK))]
    return 100 * torch.stack(right).sum(dim=0) / len(labels)


def hold_out(labels: Tensor, seed: int) -> Tensor:
    """Draw a tenth of each class, at least one image where there are two.

    Args:
        labels (Tensor): Classes (N, ).
        seed (int): Of the draw.

    Returns:
        Tensor: Whether an image is held out (N, ), bool, on the CPU.

    Raises:
        UserError: If no class has two images.
    """
    generator = torch.Generator().manual_seed(seed)
    held = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        members = (labels == label).nonzero().flatten().cpu()
        count = max(round(HELD_OUT * len(members)), 1) if len(members) > 1 else 0
        held[members[torch.randperm(len(members), generator=generator)[:count]]] = True
    if not held.any():
        raise UserError('train_dataloader.dataset has one image of each class, and the probe holds a tenth out to '
                        'choose its rate: give two of some class')
    return held
