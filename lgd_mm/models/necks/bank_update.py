"""Moving a bank's rows to the means of their categories: two forms of the same, for few categories and for many."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
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
    # Half precision may overflow, and a row would keep the NaN. Such a feature is not counted.
    finite = features.sum(dim=1, keepdim=True).isfinite().to(features.dtype)  # (B, 1)
    samples = torch.cat([features, finite], dim=1)  # (B, D + 1)
    if len(bank) <= len(labels) * get_world_size():
        # Normalising has made it NaN where it was infinite and 0 elsewhere, or NaN altogether: now it adds 0.
        sums = samples.new_zeros(len(bank), samples.shape[1]).index_add_(0, labels, samples.nan_to_num_(0))
        work = distributed.all_reduce(sums, async_op=True) if is_distributed() else None
        return lambda: _move_all(bank, counts, _arrived(sums, work), momentum, normalize)

    if not is_distributed():
        return lambda: _move_touched(bank, counts, samples, labels, momentum, normalize)
    everyones = [part.new_empty(len(part) * get_world_size(), *part.shape[1:]) for part in (samples, labels)]
    gathers = [distributed.all_gather_into_tensor(whole, part.contiguous(), async_op=True)
               for whole, part in zip(everyones, (samples, labels))]

    def move() -> None:
        every_sample, every_label = map(_arrived, everyones, gathers)
        _move_touched(bank, counts, every_sample, every_label, momentum, normalize)
    return move


def _arrived(tensor: Tensor, work: distributed.Work | None) -> Tensor:
    if work is not None:
        work.wait()
    return tensor


@torch.no_grad()
def _move_all(bank: Tensor, counts: Tensor, sums: Tensor, momentum: float, normalize: bool) -> None:
    """Move every row by its category's sum and count (C, D + 1), of which new memory would cost more than the
    arithmetic: it is overwritten."""
    count = sums[:, -1:]
    present = count > 0
    bank.lerp_(sums[:, :-1].div_(count.clamp(min=1)), torch.where(counts.unsqueeze(1) > 0, 1 - momentum, 1.0) * present)
    if normalize:
        bank.copy_(torch.where(present, F.normalize(bank, dim=1), bank))
    counts.add_(count.squeeze(1).long())


@torch.no_grad()
def _move_touched(bank: Tensor, counts: Tensor, samples: Tensor, labels: Tensor, momentum: float,
                  normalize: bool) -> None:
    """Move the rows of the labels (B, ): each sample (B, D + 1) draws its row by its share in the category's step."""
    features, finite = samples[:, :-1], samples[:, -1]
    count = finite.new_zeros(len(bank)).index_add_(0, labels, finite)  # (C, )
    share = torch.where(counts > 0, 1 - momentum, 1.0) / count.clamp(min=1)
    pull = bank.index_select(0, labels)
    torch.sub(features, pull, out=pull).nan_to_num_(0).mul_((share[labels] * finite).unsqueeze(1))
    bank.index_add_(0, labels, pull)
    if normalize:
        rows = bank.index_select(0, labels)
        bank.index_copy_(0, labels, torch.where((count[labels] > 0).unsqueeze(1), F.normalize(rows, dim=1), rows))
    counts.add_(count.long())
