"""Moving a bank's rows to the means of their categories: two forms of the same, for few categories and for many."""

from collections.abc import Callable

import torch
from mmengine.dist import get_world_size, is_distributed
from torch import Tensor, distributed


def begin_update(bank: Tensor, counts: Tensor, features: Tensor, labels: Tensor, momentum: float,
                 normalize: bool) -> Callable[[], None]:
    """Begin to move each category of the global batch to the mean of its features; what other processes add travels
    while the caller goes on.

    A row seen for the first time takes the mean itself, later ones move with momentum, rows of absent categories keep
    their bits. Nothing waits for the device. With fewer categories than samples, their sums are reduced over the
    processes and every row is gone through; with more, the features are gathered and only the rows that occur are
    touched, so that the work does not grow with the categories.

    Args:
        bank (Tensor): (C, D), moved in place.
        counts (Tensor): How many features have moved each row so far, in all processes (C, ), int64, updated in place.
        features (Tensor): Of this process (B, D), of unit length; B is the same in all processes.
        labels (Tensor): Their categories (B, ).
        momentum (float): Of a row that was seen before.
        normalize (bool): Bring moved rows back to unit length.

    Returns:
        Callable[[], None]: Ends the update.
    """
    # Half precision may overflow, and a row would keep the NaN. Such a feature takes a category that has no row.
    categories = len(bank)
    labels = torch.where(features.sum(dim=1).isfinite(), labels, categories)
    if categories <= len(labels) * get_world_size():
        # One buffer makes one reduction. Its parts lie one behind the other, as adding to slices of rows is slow.
        buffer = features.new_zeros((categories + 1) * (features.shape[1] + 1))
        count, sums = buffer[:categories + 1], buffer[categories + 1:].view(categories + 1, -1)
        count.index_add_(0, labels, torch.ones_like(labels, dtype=count.dtype))
        sums.index_add_(0, labels, features)
        work = distributed.all_reduce(buffer, async_op=True) if is_distributed() else None

        def move_all() -> None:
            _arrived(buffer, work)
            _move_all(bank, counts, sums[:-1], count[:-1, None], momentum, normalize)
        return move_all

    if not is_distributed():
        return lambda: _move_touched(bank, counts, features, labels, momentum, normalize)
    everyones = [part.new_empty(len(part) * get_world_size(), *part.shape[1:]) for part in (features, labels)]
    gathers = [distributed.all_gather_into_tensor(whole, part.contiguous(), async_op=True)
               for whole, part in zip(everyones, (features, labels))]

    def move_touched() -> None:
        every_feature, every_label = map(_arrived, everyones, gathers)
        _move_touched(bank, counts, every_feature, every_label, momentum, normalize)
    return move_touched


def _arrived(tensor: Tensor, work: distributed.Work | None) -> Tensor:
    if work is not None:
        work.wait()
    return tensor


@torch.no_grad()
def _move_all(bank: Tensor, counts: Tensor, sums: Tensor, count: Tensor, momentum: float, normalize: bool) -> None:
    """Move every row by its category's sum (C, D), which becomes the mean, and count (C, 1). New memory would cost more
    than the arithmetic: there is none of the bank's size."""
    present = count > 0
    bank.lerp_(sums.div_(count.clamp(min=1)), torch.where(counts.unsqueeze(1) > 0, 1 - momentum, 1.0) * present)
    if normalize:
        bank.div_(torch.where(present, _lengths(bank), 1))
    counts.add_(count.squeeze(1).long())


@torch.no_grad()
def _move_touched(bank: Tensor, counts: Tensor, features: Tensor, labels: Tensor, momentum: float,
                  normalize: bool) -> None:
    """Move the rows of the labels (B, ): each feature (B, D) has its share in its category's step."""
    counted = (labels < len(bank)).long()
    labels = labels.clamp(max=len(bank) - 1)
    before = counts[labels]  # (B, ): a vector of all categories would grow with them
    count = counts.index_add_(0, labels, counted)[labels] - before
    share = torch.where(before > 0, 1 - momentum, 1.0) / count.clamp(min=1) * counted
    rows = bank.index_select(0, labels)
    bank.index_add_(0, labels, torch.sub(features, rows, out=rows).nan_to_num_(0).mul_(share.unsqueeze(1)))
    if normalize:
        torch.index_select(bank, 0, labels, out=rows)  # into the same memory, as new memory takes longer
        bank.index_copy_(0, labels, rows.div_(torch.where(count.unsqueeze(1) > 0, _lengths(rows), 1)))


def _lengths(rows: Tensor) -> Tensor:
    return torch.linalg.vector_norm(rows, dim=1, keepdim=True).clamp(min=1e-12)
