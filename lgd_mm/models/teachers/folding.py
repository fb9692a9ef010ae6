"""A CLIP ResNet that computes the same embedding in fewer operations."""

from typing import Any

import torch
import torch.nn.functional as F
from open_clip.modified_resnet import AttentionPool2d, ModifiedResNet
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold(visual: nn.Module) -> nn.Module:
    """Take out of a frozen image tower what a frozen tower does not need.

    OpenAI's ResNets get their batch-norms folded into the convolutions before them, and an attention pool for the one
    query whose output they use; other families stay as they are.

    Args:
        visual (nn.Module): In eval mode; changed in place.

    Returns:
        nn.Module: Equal up to rounding.
    """
    if isinstance(visual, ModifiedResNet):
        _fold_batch_norms(visual)
        visual.attnpool = OneQueryAttentionPool(visual.attnpool)
    return visual


def _fold_batch_norms(module: nn.Module) -> None:
    """Fold every ``bnN`` into its ``convN``; in the shortcuts, ``1`` into ``0``."""
    parts: dict[str, Any] = dict(module.named_children())
    for name, part in parts.items():
        if isinstance(part, nn.BatchNorm2d):
            conv = '0' if name == '1' else name.replace('bn', 'conv')
            setattr(module, conv, fuse_conv_bn_eval(parts[conv], part))
            setattr(module, name, nn.Identity())
        else:
            _fold_batch_norms(part)


class OneQueryAttentionPool(nn.Module):
    """CLIP's attention pool for its mean token alone.

    With one query q, the scores q·(K x) are (Kᵀ q)·x and the output V's product with the weighted mean of x: the keys
    and values of the single positions are never computed.

    Args:
        pool (AttentionPool2d): Whose weights it takes.
    """

    def __init__(self, pool: AttentionPool2d) -> None:
        super().__init__()
        self.heads = pool.num_heads
        self.positional_embedding = pool.positional_embedding
        self.query, self.key, self.value, self.out = pool.q_proj, pool.k_proj, pool.v_proj, pool.c_proj

    def forward(self, x: Tensor) -> Tensor:
        """Pool a map (B, d, H, W) to (B, D)."""
        tokens = x.flatten(2).transpose(1, 2)  # (B, N, d)
        tokens = torch.cat([tokens.mean(dim=1, keepdim=True), tokens], dim=1)
        tokens = tokens + self.positional_embedding.to(tokens.dtype)  # (B, 1 + N, d)
        width = tokens.shape[2] // self.heads
        query = self.query(tokens[:, 0]).unflatten(1, (self.heads, width))  # (B, heads, width)
        # The key's bias adds the same to every score and leaves the softmax.
        into_key = torch.einsum('bhw,hwd->bhd', query, self.key.weight.unflatten(0, (self.heads, width)))
        attention = F.softmax(into_key @ tokens.transpose(1, 2) * width**-0.5, dim=2)  # (B, heads, 1 + N)
        means = attention @ tokens  # (B, heads, d)
        values = torch.einsum('bhd,hwd->bhw', means, self.value.weight.unflatten(0, (self.heads, width)))
        return self.out(values.flatten(1) + self.value.bias)

    def dense(self, x: Tensor) -> Tensor:
        """Each position by itself, as if the attention were on it alone (`arXiv:2112.01071
        <https://arxiv.org/abs/2112.01071>`_): (B, d, H, W) to (B, D, H, W)."""
        return self.out(self.value(x.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
