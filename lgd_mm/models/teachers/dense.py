"""Embeddings of an image tower's positions in the joint space with text."""

import itertools
from typing import Any

import torch
from open_clip.modified_resnet import ModifiedResNet
from open_clip.transformer import VisionTransformer
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.models.teachers.a_trous import ATrousLayers, trunk


class DenseTower(nn.Module):
    """Gives an image tower's embedding and those of its positions, as if the last attention were on each of them alone
    (`arXiv:2112.01071 <https://arxiv.org/abs/2112.01071>`_): without training, these are the embeddings whose places
    fit.

    Args:
        visual (nn.Module): Image tower, folded by :func:`lgd_mm.models.teachers.folding.fold`; its weights are used,
            not copied.
        stride (int, optional): Of the map, in pixels of the image. A CLIP ResNet takes 32, 16 or 8, a ViT that of its
            patches alone. Defaults to None: the tower's own.

    Raises:
        UserError: If the tower is neither a CLIP ResNet nor a CLIP ViT with a linear projection, or has no map of that
            stride.
    """

    def __init__(self, visual: nn.Module, stride: int | None = None) -> None:
        super().__init__()
        self._visual = (visual, )  # a tuple hides it from nn.Module: it belongs to the teacher
        self.finer = None
        if isinstance(visual, ModifiedResNet):
            self.finer = ATrousLayers(visual, stride or 32)
        elif not (isinstance(visual, VisionTransformer) and visual.attn_pool is None
                  and visual.transformer.batch_first):
            raise UserError(f'positions of the image tower {type(visual).__name__} have no embeddings in the joint '
                            "space: only CLIP's ResNets and ViTs have")
        elif stride not in (None, visual.patch_size[0]):
            raise UserError(f'model.teacher.dense_stride is {stride}: the positions of this ViT are its patches of '
                            f'{visual.patch_size[0]} pixels, so leave it out')

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Embed images and their positions.

        Args:
            images (Tensor): (B, 3, H, W).

        Returns:
            tuple[Tensor, Tensor]: (B, D) and (B, D, h, w), not normalised.
        """
        visual: Any = self._visual[0]
        if self.finer is None:
            return visual(images), _of_patches(visual, images)
        outputs = list(trunk(visual, images))
        return visual.attnpool(outputs[-1]), self._of_map(outputs[self.finer.begin - 1])

    def positions(self, images: Tensor) -> Tensor:
        """Embed the positions alone; a CLIP ResNet takes images of any size.

        Args:
            images (Tensor): (B, 3, H, W).

        Returns:
            Tensor: (B, D, h, w), not normalised.
        """
        visual: Any = self._visual[0]
        if self.finer is None:
            return _of_patches(visual, images)
        return self._of_map(next(itertools.islice(trunk(visual, images), self.finer.begin - 1, None)))

    def _of_map(self, features: Tensor) -> Tensor:
        """From the trunk's map before the layers that differ from its own."""
        visual: Any = self._visual[0]
        positions: Tensor = visual.attnpool.dense(self.finer(features))  # type: ignore[misc]
        return positions


def dense_embeddings(visual: nn.Module, images: Tensor, stride: int | None = None) -> Tensor:
    """The map of :class:`DenseTower` (B, D, h, w)."""
    return DenseTower(visual, stride).positions(images)


def _of_patches(visual: Any, images: Tensor) -> Tensor:
    handle = visual.transformer.resblocks[-1].register_forward_pre_hook(_attend_to_itself, with_kwargs=True)
    try:
        tokens = visual.forward_intermediates(images, indices=1, normalize_intermediates=True,
                                              intermediates_only=True)['image_intermediates'][0]
    finally:
        handle.remove()
    return torch.einsum('bdhw,de->behw', tokens, visual.proj)


def _attend_to_itself(block: nn.Module, args: tuple[Tensor, ...],
                      kwargs: dict[str, Any]) -> tuple[tuple[Tensor, ...], dict[str, Any]]:
    """Mask all but the own token (B, N, d)."""
    count = args[0].shape[1]
    alone = torch.full((count, count), float('-inf'), device=args[0].device).fill_diagonal_(0)
    return args, {**kwargs, 'attn_mask': alone}
