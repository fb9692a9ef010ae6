"""Maps of four strides from the one map of a plain transformer."""

import math
from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from lgd_mm.registry import MODELS

#: Strides of the maps that are made.
STRIDES = (4, 8, 16, 32)


@MODELS.register_module()
class SimpleFeaturePyramid(BaseModule):
    """ViTDet's simple feature pyramid (`arXiv:2203.16527 <https://arxiv.org/abs/2203.16527>`_, section 3): the last map
    of a plain backbone is made finer by deconvolutions and coarser by pooling.

    It stands before the neck or head of a downstream network, which has convolutions of its own behind it.

    Args:
        in_channels (int): Channels d of the backbone's map.
        stride (int): Of that map, in pixels. One that is no power of two, as patches of 14 pixels give it, is
            interpolated to the nearest. Defaults to 16.
        levels (int): Maps to return, the coarsest ones. Defaults to 4.
        init_cfg (dict, optional): As in mmengine. Defaults to None: torch's own initialisation.

    Attributes:
        channels (tuple[int, ...]): Of each map; each deconvolution halves them.
    """

    def __init__(self, in_channels: int, stride: int = 16, levels: int = 4,
                 init_cfg: dict[str, Any] | None = None) -> None:
        super().__init__(init_cfg)
        own = round(math.log2(stride))
        self.resize = stride / 2**own
        steps = [own - round(math.log2(target)) for target in STRIDES[-levels:]]
        self.scales = nn.ModuleList(_scale(in_channels, step) for step in steps)
        self.channels = tuple(in_channels >> max(step, 0) for step in steps)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Make the pyramid.

        Args:
            features (Sequence[Tensor]): The backbone's outputs, of which the last (B, d, H, W) is taken.

        Returns:
            tuple[Tensor, ...]: Of maps of strides 4, 8, 16 and 32 the last ones.
        """
        feature = features[-1]
        if self.resize != 1:  # by the scale, and not by the sizes: a position stays where it is in the image
            feature = F.interpolate(feature, scale_factor=self.resize, mode='bilinear')
        return tuple(scale(feature) for scale in self.scales)


def _scale(channels: int, steps: int) -> nn.Module:
    """From a map to one that is ``2**steps`` times as fine."""
    if steps <= 0:
        return nn.MaxPool2d(2**-steps) if steps else nn.Identity()
    layers: list[nn.Module] = []
    for step in range(steps):
        width = channels >> (step + 1)
        layers += [nn.ConvTranspose2d(channels >> step, width, 2, stride=2), nn.GroupNorm(1, width), nn.GELU()]
    return nn.Sequential(*layers[:-2])  # nothing behind the last
