"""MobileNetV2 for detectors and segmentors."""

from collections.abc import Sequence
from typing import Any

from mmpretrain.models.backbones import MobileNetV2 as MMPretrainMobileNetV2
from torch import nn

from lgd_mm.registry import MODELS


@MODELS.register_module()
class MobileNetV2(MMPretrainMobileNetV2):
    """mmpretrain's MobileNetV2 without the layers behind its last output.

    Those layers (``conv2`` for the usual strides) would get no gradient downstream, which DistributedDataParallel
    refuses. All other keys are mmpretrain's own.

    Args:
        out_indices (Sequence[int]): Stages to return, 0 to 7. Defaults to (1, 2, 4, 6): strides 4, 8, 16 and 32 with
            24, 32, 96 and 320 channels at ``widen_factor=1``.
        dilations (Sequence[int]): Of the first depthwise convolution of each of the seven stages; a dilated stage keeps
            the resolution. (1, 1, 1, 2, 2, 4, 4) is mmseg's ``mobilenet-v2-d8``, which ends at stride 8. Defaults to
            (1, 1, 1, 1, 1, 1, 1).
        **kwargs: As in :class:`mmpretrain.models.MobileNetV2`.
    """

    def __init__(self,
                 out_indices: Sequence[int] = (1, 2, 4, 6),
                 dilations: Sequence[int] = (1, 1, 1, 1, 1, 1, 1),
                 **kwargs: Any) -> None:
        super().__init__(out_indices=tuple(out_indices), **kwargs)
        for name, dilation in zip(self.layers, dilations):
            if dilation > 1:
                _dilate(getattr(self, name)[0], dilation)
        for name in self.layers[max(out_indices) + 1:]:
            delattr(self, name)
        del self.layers[max(out_indices) + 1:]


def _dilate(block: nn.Module, dilation: int) -> None:
    """Let the depthwise convolution of a block look further instead of stepping; its weights stay the same."""
    for module in block.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1:
            module.stride, module.dilation, module.padding = (1, 1), (dilation, dilation), (dilation, dilation)
