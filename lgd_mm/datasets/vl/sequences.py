"""Words, tags and regions as the numbers that a model of vision and language reads."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lgd_mm.datasets.regions import Regions, with_boxes
from lgd_mm.errors import UserError
from lgd_mm.language.wordpiece import WordPieces


class Lengths(NamedTuple):
    """Tokens of each kind, so that all texts of a batch have as many.

    Attributes:
        text (int): Word pieces of the text with [CLS] and [SEP].
        tags (int): Word pieces of the tags with [SEP]; 0: none are read.
        regions (int): Of an image.
    """

    text: int
    tags: int
    regions: int


class Sequences:
    """Makes sequences of the same lengths.

    Args:
        vocabulary (WordPieces): Of texts and tags.
        lengths (Sequence[int]): Of text, tags and regions.
        tags (Sequence[str]): Names of the detector's classes.
    """

    def __init__(self, vocabulary: WordPieces, lengths: Sequence[int], tags: Sequence[str]) -> None:
        self.vocabulary, self.lengths = vocabulary, Lengths(*lengths)
        self._tags = [vocabulary.pieces(name) for name in tags]

    def text(self, text: str) -> NDArray[np.int64]:
        """Word pieces of a text with [CLS] and [SEP], cut to its length."""
        special = self.vocabulary.special
        pieces = self.vocabulary.pieces(text)[:self.lengths.text - 2]
        return np.array([special.begin, *pieces, special.end], np.int64)

    def tags(self, regions: Regions) -> NDArray[np.int64]:
        """Word pieces of the tags of an image, by falling confidence, with [SEP]."""
        if not self.lengths.tags:
            return np.zeros(0, np.int64)
        pieces = [piece for tag in regions.tags[:self.lengths.regions] if tag >= 0 for piece in self._tags[tag]]
        return np.array([*pieces[:self.lengths.tags - 1], self.vocabulary.special.end], np.int64)

    def inputs(self, text: NDArray[np.int64], tags: NDArray[np.int64],
               regions: Mapping[str, Regions], aligned: bool = True) -> dict[str, NDArray[Any]]:
        """What a model reads, padded.

        Args:
            text (np.ndarray): Word pieces with [CLS] and [SEP].
            tags (np.ndarray): Word pieces with [SEP].
            regions (Mapping[str, Regions]): By the keys that their features get.
            aligned (bool): All are of the same boxes. Defaults to True.

        Returns:
            dict[str, np.ndarray]: ``text`` (a, ), ``tags`` (b, ), ``valid`` (a + b + r, ), and features with boxes
            (r, F) by the keys of ``regions``; of other boxes, ``teacher_valid`` beside ``teacher_regions``.
        """
        numbers = dict(text=_padded(text, self.lengths.text), tags=_padded(tags, self.lengths.tags))
        for key, each in regions.items():
            numbers[key] = _padded(with_boxes(each)[:self.lengths.regions], self.lengths.regions)
            if key == 'regions' or not aligned:
                used = len(text), len(tags), len(each.boxes)
                numbers[key.replace('regions', 'valid')] = np.concatenate(
                    [np.arange(length) < number for length, number in zip(self.lengths, used)])
        return numbers


def _padded(rows: NDArray[Any], length: int) -> NDArray[Any]:
    padded = np.zeros((length, *rows.shape[1:]), rows.dtype)
    padded[:len(rows)] = rows
    return padded


def check_lengths(lengths: Sequence[int]) -> None:
    """See that lengths leave place for a word and a region.

    Raises:
        UserError: If not, or if they are no three numbers.
    """
    given = list(lengths) if isinstance(lengths, (list, tuple)) else []
    if len(given) != 3 or any(type(each) is not int for each in given) or not (
            given[0] >= 3 and given[1] >= 0 and given[2] >= 1):
        raise UserError(f'lengths is {lengths}: give the tokens of the text (from 3), of the tags (from 0) and '
                        'the regions (from 1)')
