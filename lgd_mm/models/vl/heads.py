"""What is read from the transformer's outputs: words, a match, an answer."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class WordHead(nn.Module):
    """BERT's: a layer of the transformer's width, and the embeddings of the words as its last matrix.

    Args:
        words (nn.Embedding): Of the transformer; they stay its parameters alone.
    """

    def __init__(self, words: nn.Embedding) -> None:
        super().__init__()
        width = words.embedding_dim
        self.layer = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width, eps=1e-12))
        self.bias = nn.Parameter(torch.zeros(words.num_embeddings))
        self._words = (words, )  # out of nn.Module's sight, or they would be counted twice

    def forward(self, hidden: Tensor) -> Tensor:
        """Hidden states (..., d) as logits over the vocabulary (..., V)."""
        return F.linear(self.layer(hidden), self._words[0].weight, self.bias)


class SentenceHead(nn.Module):
    """BERT's for whole sequences: what stands at the first token, by a tanh layer, to classes.

    Args:
        width (int): d.
        classes (int): C: 2 for matching text and image, or the number of answers.
        dropout (float): Before the last matrix. Defaults to 0.
    """

    def __init__(self, width: int, classes: int, dropout: float = 0.) -> None:
        super().__init__()
        self.pooler = nn.Sequential(nn.Linear(width, width), nn.Tanh())
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, classes)

    def forward(self, hidden: Tensor) -> Tensor:
        """Hidden states (B, T, d) as logits (B, C)."""
        logits: Tensor = self.classifier(self.dropout(self.pooler(hidden[:, 0])))
        return logits
