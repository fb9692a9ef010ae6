"""Pooling for whatever a backbone returns."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor

from lgd_mm.models.features import mean_pool
from lgd_mm.registry import MODELS


@MODELS.register_module()
class MeanPooling(BaseModule):
    """The mean over positions, as ``mmpretrain.GlobalAveragePooling``, but of tokens and vectors as well."""

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Pool the last output.

        Args:
            features (Sequence[Tensor]): The last is a map (B, d, H, W), tokens (B, N, d) or a vector (B, d).

        Returns:
            tuple[Tensor]: (B, d).
        """
        return (mean_pool(features[-1]), )
