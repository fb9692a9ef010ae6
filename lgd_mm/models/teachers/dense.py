"""Embeddings of an image tower's positions in the joint space with text."""

from typing import Any

from open_clip.modified_resnet import ModifiedResNet
from open_clip.timm_model import TimmModel
from open_clip.transformer import VisionTransformer
from timm.models.eva import Eva
from timm.models.vision_transformer import VisionTransformer as TimmViT
from torch import nn

from lgd_mm.errors import UserError
from lgd_mm.models.teachers.dense_tower import DenseTower
from lgd_mm.models.teachers.resnet_positions import ResNetPositions
from lgd_mm.models.teachers.timm_positions import TimmMaps, TimmTokens
from lgd_mm.models.teachers.vit_positions import CoCaPositions, ViTPositions


def dense_tower(visual: nn.Module, stride: int | None = None, mode: str | None = None) -> DenseTower:
    """The positions of an image tower, by its family.

    Args:
        visual (nn.Module): See :class:`DenseTower`.
        stride (int, optional): See :class:`DenseTower`. Defaults to None: the tower's own.
        mode (str, optional): See :class:`DenseTower`. Defaults to None: the family's default.

    Returns:
        DenseTower: On this tower.

    Raises:
        UserError: If the family has no embeddings of positions, or none of that stride or mode.
    """
    family = _family(visual)
    if family is None:
        kind = type(visual.trunk if isinstance(visual, TimmModel) else visual).__name__
        raise UserError(f'positions of the image tower {kind} have no embeddings in the joint space: those of CLIP '
                        "ResNets, CLIP and CoCa ViTs, and of timm's ViT, EVA and networks that average a map have")
    return family(visual, stride, mode)


def _family(visual: Any) -> Any:
    """The class for an image tower; None: there is none."""
    if isinstance(visual, ModifiedResNet):
        return ResNetPositions
    if isinstance(visual, VisionTransformer) and visual.transformer.batch_first:
        if visual.attn_pool is None:
            return ViTPositions
        return CoCaPositions if visual.attn_pool_contrastive is None else None
    if isinstance(visual, TimmModel):
        if isinstance(visual.trunk, (TimmViT, Eva)):
            return TimmTokens
        # by attention a map is pooled with places, which a position alone has not
        if visual.trunk.default_cfg.get('pool_size') and not hasattr(visual.head, 'pool'):
            return TimmMaps
    return None
