"""Which tokens see which."""

import torch
from torch import Tensor


def bidirectional_mask(valid: Tensor) -> Tensor:
    """Each token sees all that are there.

    Args:
        valid (Tensor): Which tokens are no padding: bool (B, T).

    Returns:
        Tensor: Rows see columns: bool (B, T, T). Padding sees itself alone, which nothing reads.
    """
    return _with_padding(valid[:, None].expand(-1, valid.shape[1], -1), valid)


def seq2seq_mask(valid: Tensor, text: int) -> Tensor:
    """The text is written word by word: it sees its own past, tags and regions, and these never see it.

    Args:
        valid (Tensor): Which tokens are no padding: bool (B, T).
        text (int): The first tokens, which are the text.

    Returns:
        Tensor: Rows see columns: bool (B, T, T). Padding sees itself alone, which nothing reads.
    """
    length = valid.shape[1]
    place = torch.arange(length, device=valid.device)
    sees = (place >= text) | ((place <= place[:, None]) & (place[:, None] < text))  # (T, T)
    return _with_padding(sees & valid[:, None], valid)


def _with_padding(mask: Tensor, valid: Tensor) -> Tensor:
    """A row that sees nothing would be NaN."""
    itself = torch.eye(valid.shape[1], dtype=torch.bool, device=valid.device)
    rows = valid[:, :, None]
    return (mask & rows) | (itself & ~rows)  # onnxruntime chooses between numbers alone, as torch.where would
