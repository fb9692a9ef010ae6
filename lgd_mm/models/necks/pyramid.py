"""From a student's maps of several strides to one map in its teacher's embedding space."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from lgd_mm.registry import MODELS


class MapProjection(BaseModule):
    """Merges a student's maps into one, and embeds its positions; how they are merged is the subclass's matter.

    Attributes:
        mlp (nn.Module): From the merged map's channels to the embedding's.
    """

    mlp: nn.Module

    def merge(self, features: Sequence[Tensor]) -> Tensor:
        """Make one of several maps.

        Args:
            features (Sequence[Tensor]): Maps (B, d, H, W), the finest first.

        Returns:
            Tensor: (B, channels, H', W'), not embedded yet.
        """
        raise NotImplementedError

    def embed(self, merged: Tensor) -> Tensor:
        """From what :meth:`merge` gives, of any size (B, channels, h, w), to embeddings (B, D, h, w)."""
        embedded: Tensor = self.mlp(merged)
        return embedded

    def embed_boxes(self, merged: Tensor, boxes: Tensor) -> Tensor:
        """Embed the means over boxes.

        Args:
            merged (Tensor): Of :meth:`merge`.
            boxes (Tensor): Left, top, right and bottom as shares of the width and height (B, K, 4).

        Returns:
            Tensor: Embeddings (B, D, K, 1), not normalised.
        """
        return self.embed(box_means(merged, boxes).transpose(1, 2)[..., None])

    def forward(self, features: Sequence[Tensor], size: tuple[int, ...] | None = None) -> Tensor:
        """Embed every position of the merged map.

        Args:
            features (Sequence[Tensor]): Maps (B, d, H, W), the finest first.
            size (tuple[int, int], optional): Height and width (h, w) of the result. A coarser one embeds the means of
                positions. Defaults to None: those of the merged map.

        Returns:
            Tensor: Embeddings (B, D, h, w), not normalised.
        """
        merged = self.merge(features)
        return self.embed(merged if size is None else resized(merged, size))


@MODELS.register_module()
class PyramidProjection(MapProjection):
    """Lateral 1 x 1 convolutions, summed from the coarsest map to the finest as in a feature pyramid
    (`arXiv:1612.03144 <https://arxiv.org/abs/1612.03144>`_), then a 1 x 1 MLP: kept for zero-shot segmentation,
    dropped for transfer.

    Args:
        in_channels (Sequence[int]): Widths of the backbone's maps, the finest first.
        out_channels (int): Width D of the teacher's embedding.
        channels (int): Width of the pyramid. Defaults to 128.
        init_cfg (dict, optional): As in mmengine. Defaults to None: torch's own initialisation of ``Conv2d``.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int, channels: int = 128,
                 init_cfg: dict[str, Any] | None = None) -> None:
        super().__init__(init_cfg)
        self.laterals = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in in_channels)
        self.mlp = mlp(channels, out_channels)

    def merge(self, features: Sequence[Tensor]) -> Tensor:
        """Sum the levels.

        Args:
            features (Sequence[Tensor]): Maps (B, d, H, W), the finest first.

        Returns:
            Tensor: (B, channels, H, W) of the finest, not embedded yet.
        """
        total = None
        for lateral, feature in reversed(list(zip(self.laterals, features, strict=True))):
            here = lateral(feature)
            total = here if total is None else here + F.interpolate(total, here.shape[-2:], mode='nearest')
        assert total is not None, 'a pyramid has levels'
        return total


def mlp(channels: int, out_channels: int) -> nn.Sequential:
    """1 x 1 convolutions from the merged map to embeddings."""
    return nn.Sequential(
        nn.Conv2d(channels, channels, 1), nn.ReLU(inplace=True), nn.Conv2d(channels, out_channels, 1))


def box_means(maps: Tensor, boxes: Tensor) -> Tensor:
    """Means over boxes, each cell by the share of it that lies inside.

    Args:
        maps (Tensor): (B, d, H, W).
        boxes (Tensor): Left, top, right and bottom as shares of the width and height (B, K, 4).

    Returns:
        Tensor: (B, K, d) in float32; 0 for a box without area.
    """
    with torch.autocast(maps.device.type, enabled=False):  # half precision has no such shares
        left, top, right, bottom = boxes.float().unbind(dim=-1)
        rows, columns = _shares(top, bottom, maps.shape[-2]), _shares(left, right, maps.shape[-1])
        along = torch.einsum('bkw,bdhw->bkdh', columns, maps.float())
        return torch.einsum('bkh,bkdh->bkd', rows, along)


def _shares(low: Tensor, high: Tensor, cells: int) -> Tensor:
    """What each of some cells between 0 and 1 adds to the mean over [low, high] (B, K): (B, K, cells)."""
    edges = torch.arange(cells + 1, device=low.device, dtype=low.dtype)
    low, high = low[..., None] * cells, high[..., None] * cells
    inside = (torch.minimum(high, edges[1:]) - torch.maximum(low, edges[:-1])).clamp(min=0)
    return inside / inside.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(low.dtype).eps)


def resized(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """Maps (B, d, H, W) of another height and width: means where they shrink, interpolated where they grow."""
    (height, width), (rows, columns) = maps.shape[-2:], size
    if (height, width) == (rows, columns):
        return maps
    if rows > height or columns > width:
        return F.interpolate(maps, (rows, columns), mode='bilinear')
    if not height % rows and not width % columns:
        return F.avg_pool2d(maps, (height // rows, width // columns))
    down, across = (_shares(*_cells(count, maps.device), cells).to(maps.dtype)
                    for count, cells in ((rows, height), (columns, width)))
    return down @ maps @ across.T  # adaptive_avg_pool2d counts a cell that two share in both, whole


def _cells(count: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Where each of so many cells between 0 and 1 begins and ends."""
    edges = torch.arange(count + 1, device=device) / count
    return edges[:-1], edges[1:]
