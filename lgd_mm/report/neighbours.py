"""What the visual bank has learnt of each category: the images nearest to its rows."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from lgd_mm.report.images import PlainImages
from lgd_mm.report.tiles import thumbnail

CATEGORIES = 12
IMAGES = 6


class Neighbours(NamedTuple):
    """A row of the visual bank.

    Attributes:
        category (str): Its name.
        views (int): Those that the teacher took for it.
        images (list[tuple[bytes, float]]): WebP files of the nearest images and their cosine similarities, the
            nearest first.
    """

    category: str
    views: int
    images: list[tuple[bytes, float]]


def nearest_images(names: Sequence[str], counts: Tensor, bank: Tensor, images: PlainImages,
                     indices: Sequence[int], embeddings: Tensor) -> list[Neighbours]:
    """Compare some rows of the visual bank with images.

    Args:
        names (Sequence[str]): C category names.
        counts (Tensor): Pseudo labels so far (C, ).
        bank (Tensor): Visual bank (C, D).
        images (PlainImages): The images.
        indices (Sequence[int]): N of them.
        embeddings (Tensor): The teacher's, of unit length (N, D).

    Returns:
        list[Neighbours]: Of all categories that were seen or, of many, some from the most to the least frequent.
    """
    rows = shown_categories(counts)
    cosines, nearest = (F.normalize(bank[rows], dim=1) @ embeddings.T).topk(min(IMAGES, len(indices)))
    return [
        Neighbours(names[row], int(counts[row]), [(thumbnail(images.image(indices[place])), float(cosine))
                                                  for place, cosine in zip(places, values)])
        for row, places, values in zip(rows, nearest.tolist(), cosines.tolist())
    ]


def shown_categories(counts: Tensor) -> list[int]:
    """Categories seen (of C), the most frequent first; of more than a page takes, some evenly spaced in that order."""
    order = counts.argsort(descending=True, stable=True)[:int((counts > 0).sum())]
    chosen = np.unique(np.linspace(0, len(order) - 1, CATEGORIES).round().astype(int)) if len(order) else []
    return [int(order[place]) for place in chosen]
