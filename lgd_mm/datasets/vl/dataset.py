"""Texts with the regions of their images: what data sets of vision and language share."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmpretrain.structures import DataSample
from numpy.typing import NDArray
from torch.utils.data import Dataset

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.regions import Regions, RegionStore, check_same_boxes, with_boxes
from lgd_mm.datasets.vl.sources import entries_of
from lgd_mm.errors import UserError
from lgd_mm.language.corpus import unknown_words
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


class RegionTexts(Dataset[dict[str, Any]]):
    """Texts, tags and regions as numbers; a subclass says what the text is, and what is to be told.

    Items are asked for by the keys of :class:`lgd_mm.datasets.ViewSampler`, whose seed decides all that is drawn, or by
    their index, where nothing is drawn: for testing.

    Args:
        source (dict): A data set of mmpretrain whose entries are read: ``COCOCaption``, ``COCOVQA``, ``GQA`` or one
            with the same keys.
        regions (str): Folder of a :class:`lgd_mm.datasets.regions.RegionStore`.
        vocabulary (str): A ``vocab.txt``.
        lengths (Sequence[int]): Of text, tags and regions.
        teacher_regions (str, optional): The teacher's features in the same boxes. Defaults to None: nobody is taught.
        aligned (bool): False: the teacher's are in boxes of its own, the n-th of which stands for the student's n-th,
            to measure what the same boxes are worth. Defaults to True.

    Raises:
        UserError: If the stores do not fit together, or lack an image.
    """

    def __init__(self,
                 source: dict[str, Any],
                 regions: str,
                 vocabulary: str,
                 lengths: Sequence[int],
                 teacher_regions: str | None = None,
                 aligned: bool = True) -> None:
        self.lengths = _lengths(lengths)
        self.entries = entries_of(source)
        self.vocabulary, self._words = WordPieces.read(vocabulary), vocabulary
        self.stores = dict(regions=RegionStore(regions))
        if teacher_regions is not None:
            self.stores['teacher_regions'] = RegionStore(teacher_regions)
            if aligned:
                check_same_boxes(*self.stores.values())
        for store in self.stores.values():
            store.check_complete()
        self.metainfo: dict[str, Any] = {}
        store, missing = self.stores['regions'], set[str]()
        for entry in self.entries:
            name = name_in(store, entry['img_path'])
            if name is None:
                missing.add(Path(entry['img_path']).name)
            entry['regions'] = name
        if missing:
            raise UserError(f'{regions} has no regions of {min(missing)} and {len(missing) - 1} other images: extract '
                            'them with tools/extract_regions.py')
        self.tags = [self.vocabulary.pieces(name) for name in store.about['tags']]

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, key: Any) -> dict[str, Any]:
        index, seed = key[:2] if isinstance(key, tuple) else (key, None)
        return self.item(int(index), None if seed is None else np.random.default_rng(seed))

    def item(self, index: int, rng: np.random.Generator | None) -> dict[str, Any]:
        """What a model reads of an entry: ``inputs`` and ``targets`` of tensors, and ``data_samples``.

        Args:
            index (int): Of the entry.
            rng (np.random.Generator, optional): Source of all choices. None: nothing is drawn.
        """
        raise NotImplementedError

    def inputs(self, index: int, text: NDArray[np.int64], tags: NDArray[np.int64],
               rng: np.random.Generator | None) -> dict[str, torch.Tensor]:
        """Those of an entry.

        Args:
            index (int): Of the entry, whose image's regions these are.
            text (np.ndarray): Word pieces with [CLS] and [SEP], without padding.
            tags (np.ndarray): Word pieces with [SEP], without padding.
            rng (np.random.Generator, optional): Source of ``draw``.
        """
        name = self.entries[index]['regions']
        found = {key: store.row(name) for key, store in self.stores.items()}
        count = min(len(found['regions'].boxes), self.lengths.regions)
        valid = np.concatenate([np.arange(length) < used for length, used in zip(
            self.lengths, (len(text), len(tags), count))])
        numbers = dict(text=_padded(text, self.lengths.text), tags=_padded(tags, self.lengths.tags), valid=valid,
                       draw=np.int64(rng.integers(2**31) if rng is not None else 0))
        for key, regions in found.items():
            numbers[key] = _padded(with_boxes(regions)[:self.lengths.regions], self.lengths.regions)
        return {key: torch.as_tensor(value) for key, value in numbers.items()}

    def tag_pieces(self, index: int) -> NDArray[np.int64]:
        """Word pieces of the tags of an entry's image, by falling confidence, with [SEP]."""
        if not self.lengths.tags:
            return np.zeros(0, np.int64)
        regions: Regions = self.stores['regions'].row(self.entries[index]['regions'])
        pieces = [piece for tag in regions.tags[:self.lengths.regions] if tag >= 0 for piece in self.tags[tag]]
        return np.array([*pieces[:self.lengths.tags - 1], self.vocabulary.special.end], np.int64)

    def tell_unknown(self, texts: Iterable[str]) -> None:
        """Say which words the vocabulary lacks.

        Args:
            texts (Iterable[str]): All texts that will be read.
        """
        unknown = unknown_words(texts, self.vocabulary)
        if unknown.lacking:
            print_rank0(unknown.sentence(self._words))

    def text_pieces(self, text: str) -> NDArray[np.int64]:
        """Word pieces of a text with [CLS] and [SEP], cut to its length."""
        special = self.vocabulary.special
        pieces = self.vocabulary.pieces(text)[:self.lengths.text - 2]
        return np.array([special.begin, *pieces, special.end], np.int64)


def name_in(store: RegionStore, path: str) -> str | None:
    """How a store, which names images by their path below the folder that was extracted, calls one.

    Args:
        store (RegionStore): The store.
        path (str): Of the image.

    Returns:
        str, optional: The shortest end of the path that the store knows; None if it has no such image.
    """
    parts = Path(path).parts
    ends = ('/'.join(parts[-count:]) for count in range(1, len(parts) + 1))
    return next((end for end in ends if end in store), None)


def sample(entry: dict[str, Any], keys: Sequence[str]) -> DataSample:
    """What metrics are told of an entry."""
    return DataSample(metainfo={key: entry[key] for key in keys if key in entry})


def _lengths(lengths: Sequence[int]) -> Lengths:
    """Those of a config.

    Raises:
        UserError: If they are no three numbers that leave place for a word and a region.
    """
    if len(lengths) != 3 or any(type(each) is not int for each in lengths) or not (
            lengths[0] >= 3 and lengths[1] >= 0 and lengths[2] >= 1):
        raise UserError(f'lengths is {tuple(lengths)}: give the tokens of the text (from 3), of the tags (from 0) and '
                        'the regions (from 1)')
    return Lengths(*lengths)


def _padded(rows: NDArray[Any], length: int) -> NDArray[Any]:
    padded = np.zeros((length, *rows.shape[1:]), rows.dtype)
    padded[:len(rows)] = rows
    return padded
