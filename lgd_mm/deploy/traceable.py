"""Parts of networks that tracing would bind to the size of one image, in a form that takes any."""

import torch
import torch.nn.functional as F
from mmseg.models.utils import Upsample
from torch import Tensor, nn


class AdaptivePool(nn.Module):
    """Means over the cells of a grid, as ``torch.nn.AdaptiveAvgPool2d``, by matrices: ONNX has none.

    Args:
        rows (int): Of the grid.
        columns (int): Of the grid.
    """

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.rows, self.columns = rows, columns

    def forward(self, maps: Tensor) -> Tensor:
        """Pool.

        Args:
            maps (Tensor): (B, C, h, w).

        Returns:
            Tensor: (B, C, rows, columns).
        """
        height, width = torch._shape_as_tensor(maps)[2:].unbind()
        return _cells(self.rows, height, maps) @ maps @ _cells(self.columns, width, maps).T


class Larger(nn.Module):
    """Maps scaled by a factor, as mmseg's ``Upsample``, which computes their size in Python.

    Args:
        upsample (Upsample): Of mmseg, with a factor.
    """

    def __init__(self, upsample: Upsample) -> None:
        super().__init__()
        self.factor, self.mode, self.align_corners = upsample.scale_factor, upsample.mode, upsample.align_corners

    def forward(self, maps: Tensor) -> Tensor:
        """Scale maps (B, C, h, w)."""
        return F.interpolate(maps, scale_factor=self.factor, mode=self.mode, align_corners=self.align_corners)


def open_sizes(module: nn.Module) -> None:
    """Replace such parts below a module. Pooling to one cell is none: ONNX has it."""
    for name, part in module.named_children():
        if isinstance(part, nn.AdaptiveAvgPool2d) and part.output_size not in (1, (1, 1)):
            sides = part.output_size if isinstance(part.output_size, tuple) else (part.output_size, ) * 2
            setattr(module, name, AdaptivePool(*sides))  # type: ignore[arg-type]
        elif isinstance(part, Upsample) and not part.size:
            setattr(module, name, Larger(part))
        else:
            open_sizes(part)


def _cells(number: int, side: Tensor, like: Tensor) -> Tensor:
    """The share of each of ``side`` positions in each of ``number`` cells (number, side); cells may overlap."""
    cells, at = torch.arange(number), torch.arange(side)  # type: ignore[call-overload]
    begin = torch.div(cells * side, number, rounding_mode='floor')
    end = torch.div((cells + 1) * side + number - 1, number, rounding_mode='floor')
    within = (at[None] >= begin[:, None]) & (at[None] < end[:, None])
    return within.to(like) / (end - begin)[:, None].to(like)
