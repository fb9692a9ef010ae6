"""Embeddings of an image tower's positions in the joint space with text."""

from typing import Any

import torch
from open_clip.modified_resnet import ModifiedResNet
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from lgd_mm.errors import UserError


def dense_embeddings(visual: nn.Module, images: Tensor) -> Tensor:
    """Embed every position as if the last attention were on it alone (`arXiv:2112.01071
    <https://arxiv.org/abs/2112.01071>`_): without training, these are the embeddings whose places fit.

    Args:
        visual (nn.Module): Image tower, folded by :func:`lgd_mm.models.teachers.folding.fold`.
        images (Tensor): (B, 3, H, W).

    Returns:
        Tensor: (B, D, h, w), not normalised.

    Raises:
        UserError: If the tower is neither a CLIP ResNet nor a CLIP ViT with a linear projection.
    """
    if isinstance(visual, ModifiedResNet):
        features = visual.stem(images)
        for layer in (visual.layer1, visual.layer2, visual.layer3, visual.layer4):
            features = layer(features)
        embeddings: Tensor = visual.attnpool.dense(features)
        return embeddings
    if isinstance(visual, VisionTransformer) and visual.attn_pool is None and visual.transformer.batch_first:
        handle = visual.transformer.resblocks[-1].register_forward_pre_hook(_attend_to_itself, with_kwargs=True)
        try:
            tokens = visual.forward_intermediates(images, indices=1, normalize_intermediates=True,
                                                  intermediates_only=True)['image_intermediates'][0]
        finally:
            handle.remove()
        return torch.einsum('bdhw,de->behw', tokens, visual.proj)
    raise UserError(f'positions of the image tower {type(visual).__name__} have no embeddings in the joint space: only '
                    "CLIP's ResNets and ViTs have")


def _attend_to_itself(block: nn.Module, args: tuple[Tensor, ...],
                      kwargs: dict[str, Any]) -> tuple[tuple[Tensor, ...], dict[str, Any]]:
    """Mask all but the own token (B, N, d)."""
    count = args[0].shape[1]
    alone = torch.full((count, count), float('-inf'), device=args[0].device).fill_diagonal_(0)
    return args, {**kwargs, 'attn_mask': alone}
