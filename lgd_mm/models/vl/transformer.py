"""A single-stream transformer of words, tags and regions."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.models.common import check_number

#: Keys and values (B, H, T, d) of the tokens that a block has seen.
Past = tuple[Tensor, Tensor]


class Encoded(NamedTuple):
    """What the transformer makes of a sequence.

    Attributes:
        hidden (Tensor): Outputs of the last block (B, T, d).
        attention (Tensor, optional): Its attention maps (B, H, T, T), before dropout; rows look at columns.
    """

    hidden: Tensor
    attention: Tensor | None = None


class VLTransformer(nn.Module):
    """BERT's blocks over one sequence: word pieces of the text, then those of the tags, then regions.

    A region is the feature of a detector's box and the box itself, brought to the width of the words; it has no
    position of its own. Parameters are those of BERT (norms follow the residual sums), so that its files fit.

    Args:
        vocabulary (int): Word pieces.
        region_width (int): Of a region's feature with its box, as of :func:`lgd_mm.datasets.regions.with_boxes`.
        width (int): d. Defaults to 384, as of MiniLM.
        depth (int): Blocks. Defaults to 12.
        heads (int): H, which divides ``width``. Defaults to 12.
        positions (int): Longest text with its tags. Defaults to 512.
        dropout (float): Defaults to 0.1.
        init_std (float): Of random weights. Defaults to 0.02, as of BERT; a narrow transformer that begins with that
            takes long to look at anything, and wants about ``width ** -0.5``.

    Raises:
        UserError: If ``heads`` does not divide ``width``.
    """

    def __init__(self,
                 vocabulary: int,
                 region_width: int,
                 width: int = 384,
                 depth: int = 12,
                 heads: int = 12,
                 positions: int = 512,
                 dropout: float = 0.1,
                 init_std: float = 0.02) -> None:
        super().__init__()
        check_number('transformer.init_std', init_std, above=True)
        if width % heads:
            raise UserError(f'transformer.heads is {heads}, which does not divide transformer.width, {width}')
        self.width, self.heads, self.positions, self.region_width = width, heads, positions, region_width
        self.init_std = init_std
        self.words = nn.Embedding(vocabulary, width, padding_idx=0)
        self.places = nn.Embedding(positions, width)
        self.segments = nn.Embedding(2, width)  # text, tags
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.regions = nn.Linear(region_width, width)
        self.region_norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(Block(width, heads, dropout) for _ in range(depth))

    def forward(self, text: Tensor, tags: Tensor, regions: Tensor, mask: Tensor,
                with_attention: bool = False) -> Encoded:
        """Encode a batch.

        Args:
            text (Tensor): Word pieces (B, a).
            tags (Tensor): Word pieces (B, b).
            regions (Tensor): (B, r, ``region_width``).
            mask (Tensor): Which tokens (rows) see which (columns): bool (B, T, T) with T = a + b + r.
            with_attention (bool): Give the attention maps of the last block as well. Defaults to False.

        Returns:
            Encoded: Of all T tokens.
        """
        x = torch.cat([self.embed_text(text), self.embed_context(tags, regions, text.shape[1])], dim=1)
        mask, attention = mask[:, None], None
        *first, last = cast('Sequence[Block]', self.blocks)
        for block in first:
            x, _ = block(x, mask)
        if with_attention:
            x, attention = last.with_attention(x, mask)
        else:
            x, _ = last(x, mask)
        return Encoded(x, attention)

    def go_on(self, x: Tensor, mask: Tensor, pasts: list[Past] | None) -> tuple[Tensor, list[Past]]:
        """Encode tokens that follow others, as decoding does word by word.

        Args:
            x (Tensor): Embedded tokens (B, t, d).
            mask (Tensor): Which of them see which of all tokens so far and of themselves: bool (B, t, T).
            pasts (list[Past], optional): Of each block, of the tokens so far. None: these are the first.

        Returns:
            tuple[Tensor, list[Past]]: Outputs of the last block (B, t, d); keys and values with theirs.
        """
        grown = []
        for index, block in enumerate(self.blocks):
            x, past = block(x, mask[:, None], pasts[index] if pasts else None)
            grown.append(past)
        return x, grown

    def embed_text(self, text: Tensor, first: int = 0) -> Tensor:
        """Word pieces (B, a) at the places from ``first`` on, as (B, a, d)."""
        return self._embed_words(text, first, segment=0)

    def embed_context(self, tags: Tensor, regions: Tensor, first: int) -> Tensor:
        """Tags (B, b) at the places from ``first`` on, and regions (B, r, ``region_width``), as (B, b + r, d)."""
        embedded = self.dropout(self.region_norm(self.regions(regions)))
        return torch.cat([self._embed_words(tags, first, segment=1), embedded], dim=1)

    def _embed_words(self, words: Tensor, first: int, segment: int) -> Tensor:
        places = self.places.weight[first:first + words.shape[1]]
        embedded: Tensor = self.dropout(self.norm(self.words(words) + places + self.segments.weight[segment]))
        return embedded


class Block(nn.Module):
    """Attention and an MLP of four times the width, each followed by its residual sum and norm.

    Args:
        width (int): d.
        heads (int): H.
        dropout (float): Of attention maps, and of what is added.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.rate = heads, dropout
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width, eps=1e-12)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.norm2 = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor, past: Past | None = None) -> tuple[Tensor, Past]:
        """Tokens (B, t, d), which see what the mask (B, 1, t, T) says of the past and themselves; with keys and values
        of both."""
        query, key, value = self._heads(x)
        if past is not None:
            key, value = torch.cat([past[0], key], dim=2), torch.cat([past[1], value], dim=2)
        found = F.scaled_dot_product_attention(query, key, value, mask, self.rate if self.training else 0.)
        return self._behind(x, found), (key, value)

    def with_attention(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """The same with the attention maps (B, H, T, T), in float32: fused kernels keep them to themselves."""
        query, key, value = self._heads(x)
        scores = query * query.shape[-1] ** -0.5 @ key.transpose(2, 3)  # a product in float16 may be infinite
        attention = scores.float().masked_fill(~mask, float('-inf')).softmax(dim=3)
        found = F.dropout(attention, self.rate, self.training).to(value.dtype) @ value
        return self._behind(x, found), attention

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Query, key and value, each (B, H, t, d / H)."""
        query, key, value = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return query, key, value

    def _behind(self, x: Tensor, found: Tensor) -> Tensor:
        """What follows the attention (B, H, t, d / H)."""
        x = self.norm1(x + self.dropout(self.out(found.transpose(1, 2).flatten(2))))
        behind: Tensor = self.norm2(x + self.dropout(self.mlp(x)))
        return behind


def initialise(module: nn.Module, std: float) -> None:
    """Weights of linear layers and embeddings as BERT's: from a normal distribution, no bias, nothing for padding."""
    for part in module.modules():
        if isinstance(part, (nn.Linear, nn.Embedding)):
            nn.init.normal_(part.weight, std=std)
        if isinstance(part, nn.Linear) and part.bias is not None:
            nn.init.zeros_(part.bias)
        if isinstance(part, nn.Embedding) and part.padding_idx is not None:
            with torch.no_grad():
                part.weight[part.padding_idx].zero_()
