"""The linear probe of segmentation."""

from typing import Any

from mmcv.cnn import build_norm_layer
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor

from lgd_mm.registry import MODELS


@MODELS.register_module()
class LinearSegHead(BaseDecodeHead):
    """A linear layer on each position of a map: the probe of DINOv2 (`arXiv:2304.07193
    <https://arxiv.org/abs/2304.07193>`_, Sec. 7.4, "linear").

    A batch norm, which brings the channels of any backbone to one scale, then a 1x1 convolution to the classes. Loss
    and predictions are of logits that are scaled up to the image, as in every head of mmseg.

    Args:
        in_channels (int): Of the map.
        norm_cfg (dict): The batch norm. Defaults to ``dict(type='SyncBN')``.
        dropout_ratio (float): Of channels, before the convolution. Defaults to 0: none, as published.
        **kwargs: As in mmseg's ``BaseDecodeHead``, without ``channels``; ``in_index`` is the last map by default.
    """

    def __init__(self,
                 in_channels: int,
                 norm_cfg: dict[str, Any] | None = None,
                 dropout_ratio: float = 0,
                 **kwargs: Any) -> None:
        norm_cfg = norm_cfg or dict(type='SyncBN')
        super().__init__(
            in_channels=in_channels, channels=in_channels, norm_cfg=norm_cfg, dropout_ratio=dropout_ratio, **kwargs)
        self.bn = build_norm_layer(norm_cfg, in_channels)[1]

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Classify each position.

        Args:
            inputs (tuple[Tensor, ...]): Maps of the backbone (B, d, h, w).

        Returns:
            Tensor: Logits (B, C, h, w).
        """
        return self.cls_seg(self.bn(self._transform_inputs(inputs)))
