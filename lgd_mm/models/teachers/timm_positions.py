"""Positions of timm's networks as open_clip's image towers: the tower's head at each of them."""

from typing import Any

from open_clip.timm_model import TimmModel
from timm.layers.attention_pool import AttentionPoolLatent
from timm.models.convnext import ConvNeXt
from timm.models.fastvit import FastVit
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.models.teachers.dense_tower import DenseTower, as_map, inputs_of


class TimmTokens(DenseTower):
    """A ViT or an EVA: normalisation and projection at each patch.

    Where the tower pools by its class token, only that one was trained to carry meaning through the last attention, so
    that each patch attends to itself alone there, and where it pools by attention, as SigLIP does, there
    (`arXiv:2112.01071 <https://arxiv.org/abs/2112.01071>`_). Where it averages, tokens are taken as they are.
    """

    def __init__(self, visual: TimmModel, stride: int | None = None, mode: str | None = None) -> None:
        trunk: Any = visual.trunk
        pool = 'map' if trunk.attn_pool is not None else trunk.global_pool
        self.family = f'a timm {type(trunk).__name__} with {pool!r} pooling'
        if trunk.attn_pool is not None and type(trunk.attn_pool) is not AttentionPoolLatent:
            raise UserError(f'positions of {self.family} by {type(trunk.attn_pool).__name__} have no embeddings in the '
                            'joint space: those of AttentionPoolLatent, as SigLIP has it, have')
        self.strides = (trunk.feature_info[-1]['reduction'], )
        self.modes = ('maskclip', ) if pool in ('map', 'token') else ()
        super().__init__(visual, stride, mode)
        self.pool = pool

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Embed images and positions, see :class:`DenseTower`."""
        trunk = self.visual.trunk
        with inputs_of(trunk.blocks[-1]) as inputs:
            tokens = trunk.forward_features(images)
        embedding = self.visual.head(trunk.forward_head(tokens))
        if self.pool == 'token':
            tokens = trunk.norm(trunk.blocks[-1](inputs[0], attn_mask=_alone(inputs[0])))
        tokens = tokens[:, trunk.num_prefix_tokens:]
        if self.pool == 'map':
            tokens = _values(trunk.attn_pool, tokens)
        tokens = self.visual.head(trunk.head(trunk.fc_norm(tokens)))
        return embedding, as_map(tokens, trunk.patch_embed.dynamic_feat_size(images.shape[2:])[0])


class TimmMaps(DenseTower):
    """A ConvNeXt or another network that ends in a map, such as MobileCLIP's FastViT: its head, which averages, on
    images of one position."""

    modes = ()

    def __init__(self, visual: TimmModel, stride: int | None = None, mode: str | None = None) -> None:
        trunk: Any = visual.trunk
        self.family = f'a timm {type(trunk).__name__}'
        self.strides = (trunk.feature_info[-1]['reduction'], )
        self.takes_any_size = isinstance(trunk, (ConvNeXt, FastVit))
        super().__init__(visual, stride, mode)

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Embed images and positions, see :class:`DenseTower`."""
        features = self._features(images)
        return self._head(features), self._of_map(features)

    def positions(self, images: Tensor) -> Tensor:
        """Embed positions alone, see :class:`DenseTower`."""
        return self._of_map(self._features(images))

    def _features(self, images: Tensor) -> Tensor:
        features: Tensor = self.visual.trunk.forward_features(images)
        if features.ndim != 4:
            raise UserError(f'positions of {self.family} have no embeddings in the joint space: it ends in no map')
        return features

    def _head(self, features: Tensor) -> Tensor:
        embedding: Tensor = self.visual.head(self.visual.trunk.forward_head(features))
        return embedding

    def _of_map(self, features: Tensor) -> Tensor:
        last = getattr(self.visual.trunk, 'output_fmt', 'NCHW') == 'NHWC'  # where the channels are
        places = features if last else features.permute(0, 2, 3, 1)  # (B, h, w, d)
        alone = places.flatten(0, 2)[:, None, None]
        embedded = self._head(alone if last else alone.permute(0, 3, 1, 2))
        return as_map(embedded.unflatten(0, (len(places), -1)), places.shape[1])


def _alone(tokens: Tensor) -> Tensor:
    """A mask (N, N) that leaves each of the tokens (B, N, d) itself alone."""
    count = tokens.shape[1]
    return tokens.new_full((count, count), float('-inf')).fill_diagonal_(0)


def _values(pool: AttentionPoolLatent, tokens: Tensor) -> Tensor:
    """An attention pool on each of the tokens (B, N, d) alone."""
    tokens = pool.proj(pool.kv(tokens).chunk(2, dim=-1)[1])
    return tokens if pool.mlp is None else tokens + pool.mlp(pool.norm(tokens))
