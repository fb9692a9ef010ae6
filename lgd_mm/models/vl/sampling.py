"""Tokens drawn by numbers that belong to their text: the same ones in any process."""

import torch
from torch import Tensor

BITS = 0xFFFFFFFF


def priorities(draw: Tensor, valid: Tensor) -> Tensor:
    """A number for each token, as good as random, which follows from its text's and its place.

    Args:
        draw (Tensor): A whole number for each text (B, ).
        valid (Tensor): Which tokens are no padding: bool (B, T).

    Returns:
        Tensor: (B, T), from 0 to 2^32; -1 for padding.
    """
    place = torch.arange(valid.shape[1], device=valid.device)
    mixed = (draw[:, None] * 0x9E3779B1 + place * 0x85EBCA77) & BITS
    for _ in range(2):  # Wellons' lowbias32 without its last step
        mixed = ((mixed ^ (mixed >> 16)) * 0x7FEB352D) & BITS
        mixed = ((mixed ^ (mixed >> 15)) * 0x846CA68B) & BITS
    return torch.where(valid, mixed ^ (mixed >> 16), -1)
