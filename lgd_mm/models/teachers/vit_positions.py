"""Positions of open_clip's own ViTs: what the last attention becomes so that a token stays with its place."""

from typing import Any

import torch
import torch.nn.functional as F
from open_clip.transformer import Attention, VisionTransformer
from torch import Tensor

from lgd_mm.models.teachers.dense_tower import DenseTower, as_map, inputs_of

#: Standard deviation of NACLIP's window, in patches.
WINDOW = 5.0


class ViTPositions(DenseTower):
    """The patches of a CLIP ViT through another last block.

    - ``maskclip``: the attention on each patch alone, that is its value, then the block's residual and feed-forward as
      they are (`arXiv:2112.01071 <https://arxiv.org/abs/2112.01071>`_).
    - ``clearclip``: queries attend to queries; no residual, no feed-forward (`arXiv:2407.12442
      <https://arxiv.org/abs/2407.12442>`_).
    - ``naclip``: keys attend to keys, near ones more by a Gaussian window that is added to the scores; no residual, no
      feed-forward (`arXiv:2404.08181 <https://arxiv.org/abs/2404.08181>`_).
    """

    family = 'a CLIP ViT'
    modes = ('maskclip', 'clearclip', 'naclip')

    def __init__(self, visual: VisionTransformer, stride: int | None = None, mode: str | None = None) -> None:
        self.strides = visual.patch_size[:1]
        super().__init__(visual, stride, mode)
        self.mode = mode or self.modes[0]

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Embed images and positions, see :class:`DenseTower`."""
        block = self.visual.transformer.resblocks[-1]
        with inputs_of(block) as inputs:
            embedding = _pooled(self.visual(images))
        height = images.shape[2] // self.visual.patch_size[0]
        tokens = self.visual.ln_post(self._last(block, inputs[0], height)) @ self.visual.proj
        return embedding, as_map(tokens, height)

    def _last(self, block: Any, tokens: Tensor, height: int) -> Tensor:
        """The last block in its other form: tokens (B, 1 + N, d), that of the class first, to those of N patches."""
        queries, keys, values = _heads(block, tokens)
        if self.mode == 'maskclip':
            tokens = (tokens + _joined(block, values))[:, 1:]
            return tokens + block.ls_2(block.mlp(block.ln_2(tokens)))
        if self.mode == 'clearclip':
            mixed = F.scaled_dot_product_attention(queries, queries, values)
        else:
            window = _gaussian_window(height, (tokens.shape[1] - 1) // height, tokens.device)
            mixed = F.scaled_dot_product_attention(keys, keys, values, attn_mask=window.to(keys.dtype))
        return _joined(block, mixed)[:, 1:]


class CoCaPositions(DenseTower):
    """The attention pool of a CoCa ViT on each patch alone, behind a trunk that stays as it is."""

    family = 'a CoCa ViT'
    modes = ('maskclip', )

    def __init__(self, visual: VisionTransformer, stride: int | None = None, mode: str | None = None) -> None:
        self.strides = visual.patch_size[:1]
        super().__init__(visual, stride, mode)

    def __call__(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Embed images and positions, see :class:`DenseTower`."""
        pool = self.visual.attn_pool
        with inputs_of(pool) as inputs:
            embedding = _pooled(self.visual(images))
        attention = pool.attn
        weight = attention.v_proj_weight if attention.in_proj_weight is None else attention.in_proj_weight.chunk(3)[2]
        values = F.linear(pool.ln_k(inputs[0][:, 1:]), weight, attention.in_proj_bias.chunk(3)[2])
        tokens = self.visual.ln_post(attention.out_proj(values)) @ self.visual.proj
        return embedding, as_map(tokens, images.shape[2] // self.visual.patch_size[0])


def _pooled(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The embedding of a tower that may give its tokens as well."""
    return output[0] if isinstance(output, tuple) else output


def _heads(block: Any, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """A block's queries, keys and values, each (B, heads, N, width)."""
    attention = block.attn
    projected = F.linear(block.ln_1(tokens), attention.in_proj_weight, attention.in_proj_bias)
    queries, keys, values = projected.unflatten(2, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    if isinstance(attention, Attention):
        queries, keys = attention.ln_q(queries), attention.ln_k(keys)
    return queries, keys, values


def _joined(block: Any, mixed: Tensor) -> Tensor:
    """What a block's attention adds to its tokens (B, N, d), of what its heads (B, heads, N, width) mixed."""
    attention = block.attn
    if not isinstance(attention, Attention):
        joined: Tensor = block.ls_1(attention.out_proj(mixed.transpose(1, 2).flatten(2)))
        return joined
    scaled = mixed if attention.head_scale is None else mixed * attention.head_scale
    joined = block.ls_1(block.ln_attn(attention.out_proj(attention.ln_inner(scaled.transpose(1, 2).flatten(2)))))
    return joined


def _gaussian_window(height: int, width: int, device: torch.device) -> Tensor:
    """What is added to the scores (1 + N, 1 + N): 1 for a patch and itself, less the farther they lie apart; 0 where
    the class token is one of the two."""
    rows, columns = (torch.arange(count, dtype=torch.float32, device=device) for count in (height, width))
    places = torch.stack(torch.meshgrid(rows, columns, indexing='ij'), dim=-1).flatten(0, 1)  # (N, 2)
    squares = (places[:, None] - places).square().sum(dim=-1)
    return F.pad(torch.exp(-squares / (2 * WINDOW**2)), (1, 0, 1, 0))
