"""A detector's own pyramid, pre-trained: it travels with the backbone."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.models.necks.pyramid import MapProjection, mlp, resized
from lgd_mm.registry import MODELS


@MODELS.register_module()
class FPNProjection(MapProjection):
    """mmdet's ``FPN`` (`arXiv:1612.03144 <https://arxiv.org/abs/1612.03144>`_), then a 1 x 1 MLP on the mean of its
    outputs, each brought to stride 8. So all its weights learn, and those of the FPN go into ``student.safetensors``
    as ``neck.*``, for downstream networks with such a neck.

    Args:
        in_channels (Sequence[int]): Widths of the backbone's maps of strides 4, 8, 16 and 32.
        out_channels (int): Width D of the teacher's embedding.
        channels (int): Width of the pyramid, that of downstream networks. Defaults to 256: COCO's detectors.
        init_cfg (dict, optional): As in mmengine. Defaults to None: mmdet's for the FPN.

    Attributes:
        strides (tuple[int, ...]): Of the maps that detectors take, the finest first.

    Raises:
        UserError: If the backbone has another number of maps.
    """

    strides = (4, 8, 16, 32)

    def __init__(self, in_channels: Sequence[int], out_channels: int, channels: int = 256,
                 init_cfg: dict[str, Any] | None = None) -> None:
        super().__init__(init_cfg)
        if len(in_channels) != len(self.strides):
            raise UserError(f'model.dense.pyramid: lgd_mm.FPNProjection takes maps of strides 4, 8, 16 and 32, and the '
                            f'student gives {len(in_channels)}: set model.backbone.out_indices, of a ResNet '
                            '(0, 1, 2, 3)')
        self.fpn = MODELS.build(
            dict(type='mmdet.FPN', in_channels=list(in_channels), out_channels=channels, num_outs=len(self.strides)))
        self.mlp = mlp(channels, out_channels)

    def merge(self, features: Sequence[Tensor]) -> Tensor:
        """The mean of the pyramid's outputs at the positions of stride 8, see :class:`MapProjection`."""
        outputs = self.fpn(tuple(features))
        size = outputs[self.strides.index(8)].shape[-2:]
        return torch.stack([resized(output, size) for output in outputs]).mean(dim=0)
