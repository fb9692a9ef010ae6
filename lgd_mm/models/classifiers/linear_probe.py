"""The linear probe: one layer on a frozen backbone."""

from typing import Any

from mmpretrain.models import ImageClassifier
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.models.features import feature_channels, mean_pool
from lgd_mm.models.frozen import freeze
from lgd_mm.registry import MODELS


@MODELS.register_module()
class LinearProbe(ImageClassifier):
    """Trains only the head, on the pooled last output of any frozen backbone (paper, Sec. 4; MoCo's protocol).

    The backbone stays in eval mode, so that its batch statistics do not move, and computes no gradient.

    Args:
        backbone (dict): Any mmpretrain backbone, or ``mmpretrain.TIMMBackbone``.
        head (dict): A classification head, e.g. ``LinearClsHead``; its ``in_channels`` may be left out.
        **kwargs (Any): As in :class:`mmpretrain.models.ImageClassifier`; no neck is needed, the probe pools by itself.

    Raises:
        UserError: If the head's ``in_channels`` are not the backbone's.
    """

    def __init__(self, backbone: dict[str, Any], head: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(backbone, **kwargs)
        freeze(self.backbone)
        channels = feature_channels(self.backbone)
        if head.get('in_channels', channels) != channels:
            raise UserError(f'model.head.in_channels is {head["in_channels"]}, but the backbone has {channels} '
                            f'channels: set it to {channels} or leave it out')
        self.head = MODELS.build({**head, 'in_channels': channels})

    def extract_feat(self, inputs: Tensor, stage: str = 'neck') -> tuple[Tensor]:
        """Pooled features of the frozen backbone.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).
            stage (str): As in :class:`mmpretrain.models.ImageClassifier`; all stages are the same here. Defaults to
                ``'neck'``.

        Returns:
            tuple[Tensor]: (B, d), without gradient.
        """
        return (mean_pool(self.backbone(inputs)[-1]), )
