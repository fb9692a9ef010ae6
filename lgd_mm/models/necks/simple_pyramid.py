"""Maps of four strides from the one map of a plain transformer."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from lgd_mm.registry import MODELS

#: Strides of the maps that are made; the third is the transformer's own.
STRIDES = (4, 8, 16, 32)


@MODELS.register_module()
class SimpleFeaturePyramid(BaseModule):
    """ViTDet's simple feature pyramid (`arXiv:2203.16527 <https://arxiv.org/abs/2203.16527>`_, section 3): the last map
    of a plain backbone is made finer by deconvolutions and coarser by pooling.

    It stands before the neck or head of a downstream network, which has convolutions of its own behind it.

    Args:
        in_channels (int): Channels d of the backbone's map.
        stride (int): Of that map, in pixels. One of another than 16, as patches of 14 pixels give it, is interpolated
            to 16. Defaults to 16.
        levels (int): Maps to return, the coarsest ones. Defaults to 4.
        init_cfg (dict, optional): As in mmengine. Defaults to None: torch's own initialisation.
    """

    def __init__(self, in_channels: int, stride: int = 16, levels: int = 4,
                 init_cfg: dict[str, Any] | None = None) -> None:
        super().__init__(init_cfg)
        half, quarter = in_channels // 2, in_channels // 4
        self.stride = stride
        finest = nn.Sequential(
            nn.ConvTranspose2d(in_channels, half, 2, stride=2), nn.GroupNorm(1, half), nn.GELU(),
            nn.ConvTranspose2d(half, quarter, 2, stride=2))
        scales = (finest, nn.ConvTranspose2d(in_channels, half, 2, stride=2), nn.Identity(), nn.MaxPool2d(2))
        self.scales = nn.ModuleList(scales[-levels:])
        self.channels = (quarter, half, in_channels, in_channels)[-levels:]

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Make the pyramid.

        Args:
            features (Sequence[Tensor]): The backbone's outputs, of which the last (B, d, H, W) is taken.

        Returns:
            tuple[Tensor, ...]: Of maps of strides 4, 8, 16 and 32 with d / 4, d / 2, d and d channels the last ones.
        """
        feature = features[-1]
        if self.stride != STRIDES[2]:  # by the scale, and not by the sizes: a position stays where it is in the image
            feature = F.interpolate(feature, scale_factor=self.stride / STRIDES[2], mode='bilinear')
        return tuple(scale(feature) for scale in self.scales)
