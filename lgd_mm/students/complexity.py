"""What a backbone is made of: parameters, and multiply-adds for an image."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


class Complexity(NamedTuple):
    """Of a backbone.

    Attributes:
        parameters (int): Numbers that training moves, or froze.
        multiply_adds (int): For one image: those of convolutions, matrix products and attention, as
            ``torch.utils.flop_counter`` counts them, which takes a multiply-add for two FLOPs. Biases, norms,
            activations, pooling and resizing are left out, as in most papers.
    """

    parameters: int
    multiply_adds: int


@torch.no_grad()
def complexity(backbone: nn.Module, height: int, width: int) -> Complexity:
    """Count what a backbone is made of.

    Args:
        backbone (nn.Module): Takes (1, 3, height, width), on any device; in eval mode.
        height (int): Of the image, in pixels.
        width (int): Of the image, in pixels.

    Returns:
        Complexity: Of all its outputs.
    """
    parameter = next(backbone.parameters(), torch.zeros(0))
    # As matrix products: the counter knows nothing of the kernel that a CPU has for attention.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        backbone(torch.zeros(1, 3, height, width, device=parameter.device, dtype=parameter.dtype))
    parameters = sum(value.numel() for value in backbone.parameters())
    return Complexity(parameters, counter.get_total_flops() // 2)
