"""CIDEr-D: cosines of captions' n-grams, weighted by how seldom images have them."""

import math
from collections import Counter
from collections.abc import Sequence

from lgd_mm.metrics.captions.tokens import ngrams

#: Longest n-grams.
LONGEST = 4
#: Standard deviation of the penalty for another length, in words.
SIGMA = 6.

Vector = dict[tuple[str, ...], float]


def cider(captions: Sequence[list[str]], references: Sequence[Sequence[list[str]]]) -> list[float]:
    """CIDEr-D of each image (`arXiv:1411.5726 <https://arxiv.org/abs/1411.5726>`_, Eq. 3 and 6).

    Inverse document frequencies are of the references; a length is the number of bigrams, as in COCO's code.

    Args:
        captions (Sequence[list[str]]): Words of a caption for each image.
        references (Sequence[Sequence[list[str]]]): Those of its references, at least one.

    Returns:
        list[float]: From 0 to 10; COCO's tables have 100 times their mean.
    """
    images = len(references)
    seen: Counter[tuple[str, ...]] = Counter()
    for some in references:
        seen.update({gram for reference in some for n in range(1, LONGEST + 1) for gram in ngrams(reference, n)})

    def vector(tokens: list[str], n: int) -> Vector:
        return {gram: count * (math.log(images) - math.log(max(1, seen[gram])))
                for gram, count in ngrams(tokens, n).items()}

    scores = []
    for caption, some in zip(captions, references):
        total = 0.
        for n in range(1, LONGEST + 1):
            ours = vector(caption, n)
            for reference in some:
                total += _similarity(ours, vector(reference, n)) * _penalty(caption, reference)
        scores.append(10 * total / LONGEST / len(some))
    return scores


def _similarity(caption: Vector, reference: Vector) -> float:
    """The cosine, in which no n-gram counts more often than the reference has it."""
    lengths = _norm(caption) * _norm(reference)
    shared = sum(min(value, reference[gram]) * reference[gram] for gram, value in caption.items() if gram in reference)
    return shared / lengths if lengths else 0.


def _norm(vector: Vector) -> float:
    return math.sqrt(sum(value**2 for value in vector.values()))


def _penalty(caption: list[str], reference: list[str]) -> float:
    difference = max(0, len(caption) - 1) - max(0, len(reference) - 1)
    return math.exp(-difference**2 / (2 * SIGMA**2))
