"""BLEU of a corpus: which n-grams of the captions any reference has."""

import math
from collections import Counter
from collections.abc import Sequence

from lgd_mm.metrics.captions.tokens import ngrams

#: COCO's code adds these, so that a corpus without a match has a score that is nearly 0, and not its logarithm.
TINY, SMALL = 1e-15, 1e-9


def bleu(captions: Sequence[list[str]], references: Sequence[Sequence[list[str]]], longest: int = 4) -> list[float]:
    """BLEU-1 to BLEU-4 (`Papineni et al. 2002 <https://aclanthology.org/P02-1040>`_), with the length of the reference
    that is the closest.

    Args:
        captions (Sequence[list[str]]): Words of a caption for each image.
        references (Sequence[Sequence[list[str]]]): Those of its references, at least one.
        longest (int): N-grams. Defaults to 4.

    Returns:
        list[float]: One for each n, from 0 to 1.
    """
    matched, written = [0] * longest, [0] * longest
    ours = theirs = 0
    for caption, some in zip(captions, references):
        ours += len(caption)
        theirs += min((abs(len(reference) - len(caption)), len(reference)) for reference in some)[1]
        for n in range(1, longest + 1):
            most: Counter[tuple[str, ...]] = Counter()
            for reference in some:
                most |= ngrams(reference, n)
            found = ngrams(caption, n)
            written[n - 1] += max(0, len(caption) - n + 1)
            matched[n - 1] += sum((found & most).values())
    ratio = (ours + TINY) / (theirs + SMALL)
    penalty = math.exp(1 - 1 / ratio) if ratio < 1 else 1.
    scores, product = [], 1.
    for n in range(1, longest + 1):
        product *= (matched[n - 1] + TINY) / (written[n - 1] + SMALL)
        scores.append(product**(1 / n) * penalty)
    return scores
