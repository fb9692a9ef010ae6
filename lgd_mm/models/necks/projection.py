"""The MLP from the student's features to the teacher's embedding space."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.models.features import feature_channels, mean_pool
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


def projection_between(neck: Mapping[str, Any], backbone: nn.Module, embed_dim: int) -> nn.Module:
    """Build a projection from a backbone's features to a teacher's embeddings.

    Args:
        neck (Mapping[str, Any]): Its config; the widths may be left out.
        backbone (nn.Module): The student's.
        embed_dim (int): Width D of the teacher's embedding.

    Returns:
        nn.Module: The projection.

    Raises:
        UserError: If the config asks for other widths.
    """
    widths = dict(in_channels=feature_channels(backbone), out_channels=embed_dim)
    for key, value in widths.items():
        if neck.get(key, value) != value:
            raise UserError(f'model.neck.{key} is {neck[key]}, but the backbone and the teacher ask for {value}: '
                            f'set it to {value} or leave it out')
    return _build(neck, widths)


def projection_of(neck: Mapping[str, Any], weights: Mapping[str, Tensor]) -> nn.Module:
    """Build a projection for weights that a file has for it, as wide as they are.

    Args:
        neck (Mapping[str, Any]): Its config.
        weights (Mapping[str, Tensor]): Of an MLP, each matrix (out, in), in the order of its layers.

    Returns:
        nn.Module: The projection; the weights are not in it yet.

    Raises:
        IndexError: If there is no matrix among them.
    """
    matrices = [value for value in weights.values() if value.dim() == 2]
    return _build(neck, dict(in_channels=matrices[0].shape[1], out_channels=matrices[-1].shape[0]))


def _build(neck: Mapping[str, Any], widths: Mapping[str, int]) -> nn.Module:
    projection: nn.Module = MODELS.build({**neck, **widths})
    return projection
