"""The MLP from the student's features to the teacher's embedding space."""

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.models.features import mean_pool
from lgd_mm.registry import MODELS


@MODELS.register_module()
class MLPProjection(BaseModule):
    """Global average pooling, then ``Linear(d, d), ReLU, Linear(d, D)``: kept for zero-shot use, dropped for transfer.

    Args:
        in_channels (int): Width d of the backbone's last features.
        out_channels (int): Width D of the teacher's embedding.
        init_cfg (dict, optional): As in mmengine. Defaults to None: torch's own initialisation of ``Linear``.
    """

    def __init__(self, in_channels: int, out_channels: int, init_cfg: dict[str, Any] | None = None) -> None:
        super().__init__(init_cfg)
        self.mlp = nn.Sequential(
            nn.Linear(in_channels, in_channels), nn.ReLU(inplace=True), nn.Linear(in_channels, out_channels))

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        """Embed the last of a backbone's outputs.

        Args:
            features (Sequence[Tensor]): The last is a map (B, d, H, W), tokens (B, N, d) or a vector (B, d).

        Returns:
            Tensor: Embeddings (B, D), not normalised.
        """
        return self.mlp(mean_pool(features[-1]))

    def dense(self, features: Sequence[Tensor]) -> Tensor:
        """Embed every position of the last of a backbone's outputs.

        Args:
            features (Sequence[Tensor]): The last is a map (B, d, H, W).

        Returns:
            Tensor: Embeddings (B, D, H, W), not normalised.

        Raises:
            UserError: If it is no map.
        """
        if features[-1].dim() != 4:
            raise UserError('the last output of the student is no map: its positions have no embeddings')
        return self.mlp(features[-1].permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
