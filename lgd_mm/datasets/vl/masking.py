"""Words hidden from a model, which are to be told from what is left."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lgd_mm.language.wordpiece import WordPieces

#: A word that is no target.
IGNORED = -100
#: Of the words to be told, this part is hidden, and this part becomes another word; the rest stays.
HIDDEN, CHANGED = 0.8, 0.1


class Masked(NamedTuple):
    """Word pieces, some of them hidden.

    Attributes:
        words (np.ndarray): The pieces (L, ), int64.
        places (np.ndarray): Which are to be told (M, ); 0 where there are fewer.
        targets (np.ndarray): What stood there (M, ); -100 where there are fewer.
    """

    words: NDArray[np.int64]
    places: NDArray[np.int64]
    targets: NDArray[np.int64]


def mask_words(words: NDArray[np.int64], candidates: NDArray[np.int64], most: int, vocabulary: WordPieces,
               rng: np.random.Generator, share: float = 0.15) -> Masked:
    """Hide some words as BERT does (`arXiv:1810.04805 <https://arxiv.org/abs/1810.04805>`_, Sec. 3.1): of those chosen,
    8 of 10 become [MASK], 1 another word, and 1 stays.

    Args:
        words (np.ndarray): Word pieces (L, ).
        candidates (np.ndarray): Places that may be chosen, at least one.
        most (int): Words that are chosen, M.
        vocabulary (WordPieces): Theirs.
        rng (np.random.Generator): Source of all choices.
        share (float): Of the candidates that is chosen, at least one. Defaults to 0.15.
    """
    number = min(most, len(candidates), max(1, round(share * len(candidates))))
    chosen = np.sort(rng.choice(candidates, number, replace=False))
    words, targets = words.copy(), words[chosen]
    fates, others = rng.random(number), rng.integers(len(vocabulary), size=number)
    words[chosen] = np.where(fates < HIDDEN, vocabulary.special.mask,
                             np.where(fates < HIDDEN + CHANGED, others, targets))
    places = np.zeros(most, np.int64)
    told = np.full(most, IGNORED)
    places[:number], told[:number] = chosen, targets
    return Masked(words, places, told)
