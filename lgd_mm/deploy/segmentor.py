"""Segmentation networks as one graph."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lgd_mm.deploy.network import DeployedNetwork
from lgd_mm.deploy.traceable import open_sizes


class Segmentor(DeployedNetwork):
    """mmseg's ``EncoderDecoder`` that is tested on whole images.

    Args:
        model (nn.Module): The segmentor; what tracing would bind to one size is changed in it.
        raw (bool): Give the logits as they come, before they are scaled up. Defaults to False.
    """

    def __init__(self, model: Any, raw: bool = False) -> None:
        super().__init__(model)
        self.raw = raw
        self.output_names = ('logits', ) if raw else ('labels', )
        self.divisor = (model.data_preprocessor.test_cfg or {}).get('size_divisor', 1)
        open_sizes(model.decode_head)

    def forward(self, images: Tensor, image_size: Tensor, original_size: Tensor) -> tuple[Tensor, ...]:
        """Segment.

        Args:
            images (Tensor): RGB in [0, 1] (B, 3, H, W).
            image_size (Tensor): (2, ), int64.
            original_size (Tensor): (2, ).

        Returns:
            tuple[Tensor, ...]: ``labels`` (B, h, w), int64, of the original size. Raw: ``logits`` (B, C, rows,
            columns).
        """
        images = self.prepared(images, image_size)
        logits = self.model.decode_head(self.model.extract_feat(images))
        if self.raw:
            return (logits, )
        logits = self._resized(logits, torch._shape_as_tensor(images)[2:])[:, :, :image_size[0], :image_size[1]]
        logits = self._resized(logits, original_size.round().long())
        if logits.shape[1] > 1:
            return (logits.argmax(1), )
        return ((logits.sigmoid() > self.model.decode_head.threshold)[:, 0].long(), )

    def _resized(self, logits: Tensor, size: Tensor) -> Tensor:
        traced = torch.jit.is_tracing()  # type: ignore[attr-defined]
        sides: Any = tuple(size.unbind()) if traced else size.tolist()
        return F.interpolate(logits, sides, mode='bilinear', align_corners=self.model.align_corners)
