"""Pixel-adaptive refinement: a segmentation that nobody trained takes over the edges of its image."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

#: How far from a pixel its neighbours are, eight at each distance.
DISTANCES = (1, 2, 4, 8, 12, 24)
_AROUND = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if (row, column) != (0, 0)]
_SHARPNESS = 10.0


def affinities(images: Tensor) -> Tensor:
    """How much a pixel takes from each of its neighbours: the more, the more alike they look.

    Differences count in standard deviations of the neighbourhood, so that neither contrast nor normalisation matters
    (PAMR: Araslanov and Roth, "Single-Stage Semantic Segmentation from Image Labels", CVPR 2020).

    Args:
        images (Tensor): (B, 3, H, W).

    Returns:
        Tensor: (N, B, 1, H, W) for N neighbours; they sum to 1.
    """
    count = 1 + len(DISTANCES) * len(_AROUND)
    total, squares = torch.zeros_like(images), torch.zeros_like(images)
    for neighbour in _neighbours(images):
        difference = neighbour - images
        total += difference
        squares.addcmul_(difference, difference)
    variance = (squares - total.square() / count) / (count - 1)
    scale = _SHARPNESS / (variance.clamp_(min=0).sqrt_() + 1e-6)
    batch, _, height, width = images.shape
    affinity = images.new_empty(count - 1, batch, 1, height, width)  # filled in place: 48 numbers for each pixel
    for weight, neighbour in zip(affinity, _neighbours(images)):
        torch.mean(scale * (images - neighbour).abs_(), dim=1, keepdim=True, out=weight)
    affinity.neg_().sub_(affinity.amax(dim=0)).exp_()
    return affinity.div_(affinity.sum(dim=0))


def refine(scores: Tensor, affinity: Tensor, iterations: int) -> Tensor:
    """Give each pixel the mean of its neighbours' scores, weighed by affinity, again and again.

    Args:
        scores (Tensor): (B, C, H, W).
        affinity (Tensor): Of :func:`affinities`, of images of the same size.
        iterations (int): How often; ten times in the paper.

    Returns:
        Tensor: (B, C, H, W).
    """
    for _ in range(iterations):
        mean = torch.zeros_like(scores)
        for weight, neighbour in zip(affinity, _neighbours(scores)):
            mean.addcmul_(weight, neighbour)
        scores = mean
    return scores


def _neighbours(maps: Tensor) -> Iterator[Tensor]:
    """The maps as each neighbour has them; beyond a border lies its last pixel."""
    height, width = maps.shape[-2:]
    for distance in DISTANCES:
        padded = F.pad(maps, [distance] * 4, mode='replicate')
        for row, column in _AROUND:
            top, left = distance * (1 + row), distance * (1 + column)
            yield padded[..., top:top + height, left:left + width]
