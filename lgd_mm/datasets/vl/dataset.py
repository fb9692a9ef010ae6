"""Texts with the regions of their images: what data sets of vision and language share."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmpretrain.structures import DataSample
from numpy.typing import NDArray
from torch.utils.data import Dataset

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.regions import Regions, RegionStore, check_same_boxes
from lgd_mm.datasets.vl.sequences import Sequences, check_lengths
from lgd_mm.datasets.vl.sources import entries_of
from lgd_mm.errors import UserError
from lgd_mm.language.corpus import unknown_words
from lgd_mm.language.wordpiece import WordPieces

#: Of what a store says, what tells one source of regions from another.
SAID = ('detector', 'tags', 'width', 'most', 'grid', 'boxes', 'with_map')


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
        check_lengths(lengths)
        self._words = vocabulary
        self.entries = entries_of(source)
        self.stores, self.aligned = dict(regions=RegionStore(regions)), aligned
        if teacher_regions is not None:
            self.stores['teacher_regions'] = RegionStore(teacher_regions)
            if aligned:
                check_same_boxes(*self.stores.values())
        for store in self.stores.values():
            store.check_complete()
        store, missing = self.stores['regions'], set[str]()
        for entry in self.entries:
            name = name_in(store, entry['img_path'])
            if name is None:
                missing.add(Path(entry['img_path']).name)
            entry['regions'] = name
        if missing:
            raise UserError(f'{regions} has no regions of {min(missing)} and {len(missing) - 1} other images: extract '
                            'them with tools/extract_regions.py')
        self.sequences = Sequences(WordPieces.read(vocabulary), lengths, store.about['tags'])
        self.vocabulary, self.lengths = self.sequences.vocabulary, self.sequences.lengths
        #: Of what a model is trained on; mmengine puts it into checkpoints.
        self.metainfo: dict[str, Any] = dict(lengths=list(self.lengths), regions={
            key: store.about[key] for key in SAID if key in store.about})

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

    def seen(self, index: int) -> dict[str, Regions]:
        """Regions of an entry's image, by the stores they are from."""
        return {key: store.row(self.entries[index]['regions']) for key, store in self.stores.items()}

    def inputs(self, seen: dict[str, Regions], text: NDArray[np.int64], rng: np.random.Generator | None,
               tags: NDArray[np.int64] | None = None) -> dict[str, torch.Tensor]:
        """Those of an entry.

        Args:
            seen (dict[str, Regions]): Of its image.
            text (np.ndarray): Word pieces with [CLS] and [SEP], without padding.
            rng (np.random.Generator, optional): Source of ``draw``.
            tags (np.ndarray, optional): Word pieces with [SEP], without padding. Defaults to None: those of the image.
        """
        if tags is None:
            tags = self.sequences.tags(seen['regions'])
        numbers = dict(self.sequences.inputs(text, tags, seen, self.aligned),
                       draw=np.int64(rng.integers(2**31) if rng is not None else 0))
        return {key: torch.as_tensor(value) for key, value in numbers.items()}

    def tell_unknown(self, texts: Iterable[str]) -> None:
        """Say which words the vocabulary lacks.

        Args:
            texts (Iterable[str]): All texts that will be read.
        """
        unknown = unknown_words(texts, self.vocabulary)
        if unknown.lacking:
            print_rank0(unknown.sentence(self._words))


def name_in(store: RegionStore, path: str) -> str | None:
    """How a store, which names images by their path below the folder that was extracted, calls one.

    Args:
        store (RegionStore): The store.
        path (str): Of the image.

    Returns:
        str, optional: The longest end of the path that the store knows, as images of two folders may have one name;
            None if it has no such image.
    """
    parts = Path(path).parts
    ends = ('/'.join(parts[start:]) for start in range(len(parts)))
    return next((end for end in (path, *ends) if end in store), None)


def sample(entry: dict[str, Any], keys: Sequence[str]) -> DataSample:
    """What metrics are told of an entry."""
    return DataSample(metainfo={key: entry[key] for key in keys if key in entry})
