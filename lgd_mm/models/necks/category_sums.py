"""Features summed by category over the global batch: what the visual bank moves by."""

from collections.abc import Callable

import torch
from mmengine.dist import get_world_size, is_distributed
from torch import Tensor, distributed

#: Above so many categories for each sample of the global batch, only the bank rows that occur are worked on.
CATEGORIES_PER_SAMPLE = 4

#: Bank rows (N, ), or None for all of them in order, and their sums and counts (N, D + 1).
Sums = tuple[Tensor | None, Tensor]


def begin_sums(features: Tensor, labels: Tensor, categories: int) -> Callable[[], Sums]:
    """Sum features by category; what other processes add travels while the caller goes on.

    With few categories their sums are reduced over the processes; with many, the features themselves are gathered and
    only the rows that occur are summed. Both are the same sums, and neither waits for the device.

    Args:
        features (Tensor): Of this process (B, D + 1); the last column counts: 1, or 0 for a sample to leave out. B is
            the same in all processes.
        labels (Tensor): Their categories (B, ).
        categories (int): How many there are.

    Returns:
        Callable[[], Sums]: Call it for the sums over all processes.
    """
    samples = len(labels) * get_world_size()
    if categories <= CATEGORIES_PER_SAMPLE * samples:
        sums = features.new_zeros(categories, features.shape[1]).index_add_(0, labels, features)
        reduction = distributed.all_reduce(sums, async_op=True) if is_distributed() else None
        return lambda: (None, _arrived(sums, reduction))

    if not is_distributed():
        return lambda: _sums_of_touched(features, labels)
    all_features, all_labels = features.new_empty(samples, features.shape[1]), labels.new_empty(samples)
    gathers = [
        distributed.all_gather_into_tensor(whole, part, async_op=True)
        for whole, part in ((all_features, features.contiguous()), (all_labels, labels))
    ]
    return lambda: _sums_of_touched(*map(_arrived, (all_features, all_labels), gathers))


def _arrived(tensor: Tensor, work: distributed.Work | None) -> Tensor:
    if work is not None:
        work.wait()
    return tensor


def _sums_of_touched(features: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Sums of the categories that occur among B labels, in B rows, so that nobody asks how many they are.

    The rows left over name the first category again, with sums and counts of 0.
    """
    ordered, order = labels.sort(stable=True)
    begins = torch.cat([ordered.new_zeros(1), (ordered[1:] != ordered[:-1]).long()])
    place = begins.cumsum(0)  # of each sorted sample's category among the rows
    rows = ordered[:1].repeat(len(labels)).scatter_(0, place, ordered)
    return rows, torch.zeros_like(features).index_add_(0, torch.empty_like(place).scatter_(0, order, place), features)
