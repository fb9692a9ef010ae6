"""Captions of images, to pre-train with, to learn to write, and to compare with."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from lgd_mm.console.printable import shown
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.vl.dataset import RegionTexts, sample
from lgd_mm.datasets.vl.masking import IGNORED, mask_words
from lgd_mm.errors import DataError
from lgd_mm.registry import DATASETS


class Captions(RegionTexts):
    """Captions; an entry of ``source`` has ``gt_caption``, one or several, each of which is an item of its own unless
    they are to be compared with.

    Args:
        every (bool): Each caption is an item. Defaults to True.
        **parts (Any): See :class:`lgd_mm.datasets.vl.dataset.RegionTexts`.

    Raises:
        UserError: If a caption is no text, or all are empty.
    """

    def __init__(self, every: bool = True, **parts: Any) -> None:
        super().__init__(**parts)
        captions = [[caption for caption in _several(entry) if caption.strip()] for entry in self.entries]
        empty = sum(len(_several(entry)) - len(some) for entry, some in zip(self.entries, captions))
        if empty:
            print_rank0(f'{empty:,} captions are empty and left out')
        self.entries = [dict(entry, gt_caption=some) for entry, some in zip(self.entries, captions) if some]
        if not self.entries:
            raise DataError('all captions are empty: give the file of the captions')
        if every:
            self.entries = [dict(entry, gt_caption=caption) for entry in self.entries
                            for caption in entry['gt_caption']]
            self.tell_unknown(entry['gt_caption'] for entry in self.entries)


@DATASETS.register_module()
class VLCaptionPretraining(Captions):
    """Masked words of captions and tags; half of the tags are of another image, and then no word is told.

    Args:
        most (int): Words that are masked at most, of 15 %. Defaults to 5.
        **parts (Any): See :class:`lgd_mm.datasets.vl.dataset.RegionTexts`.
    """

    def __init__(self, most: int = 5, **parts: Any) -> None:
        super().__init__(**parts)
        self.most = most

    def item(self, index: int, rng: np.random.Generator | None) -> dict[str, Any]:
        """``targets`` are ``masked``, ``words`` and ``matching``."""
        rng = rng or np.random.default_rng(index)
        other = index if rng.random() < 0.5 else self._another(index, rng)
        matching = int(self.entries[other]['regions'] == self.entries[index]['regions'])
        seen = self.seen(index)
        text = self.sequences.text(self.entries[index]['gt_caption'])
        tags = self.sequences.tags((seen if matching else self.seen(other))['regions'])
        words = np.concatenate([text, tags])
        # Behind the text there is padding: places of tags lie further back.
        places = np.concatenate([np.arange(len(text)), self.lengths.text + np.arange(len(tags))])
        candidates = np.flatnonzero(~np.isin(words, self.vocabulary.special))
        if not len(candidates):
            candidates = np.array([len(text) - 1])
        masked = mask_words(words, candidates, self.most, self.vocabulary, rng)
        told = masked.targets if matching else np.full_like(masked.targets, IGNORED)
        inputs = self.inputs(seen, masked.words[:len(text)], rng, tags=masked.words[len(text):])
        return dict(inputs=inputs, targets=dict(
            masked=torch.from_numpy(places[masked.places]), words=torch.from_numpy(told),
            matching=torch.tensor(int(matching))))

    def _another(self, index: int, rng: np.random.Generator) -> int:
        """An entry of another image; the same one if none is found."""
        for _ in range(10):
            other = int(rng.integers(len(self)))
            if self.entries[other]['regions'] != self.entries[index]['regions']:
                return other
        return index


@DATASETS.register_module()
class VLCaptionTraining(Captions):
    """Captions to be learnt: some of their words are masked, or the [SEP] that ends them.

    Args:
        most (int): Words that are masked at most, of 15 %. Defaults to 3.
        **parts (Any): See :class:`lgd_mm.datasets.vl.dataset.RegionTexts`.
    """

    def __init__(self, most: int = 3, **parts: Any) -> None:
        super().__init__(**parts)
        self.most = most

    def item(self, index: int, rng: np.random.Generator | None) -> dict[str, Any]:
        """``targets`` are ``masked`` and ``words``."""
        rng = rng or np.random.default_rng(index)
        text = self.sequences.text(self.entries[index]['gt_caption'])
        masked = mask_words(text, np.arange(1, len(text)), self.most, self.vocabulary, rng)
        return dict(inputs=self.inputs(self.seen(index), masked.words, rng), targets=dict(
            masked=torch.from_numpy(masked.places), words=torch.from_numpy(masked.targets)))


@DATASETS.register_module()
class VLCaptionTest(Captions):
    """Images to be captioned; ``data_samples`` have their captions to compare with, and their ``image_id``."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(every=False, **parts)
        together: dict[str, dict[str, Any]] = {}
        for entry in self.entries:
            first = together.setdefault(entry['regions'], dict(entry, gt_caption=[]))
            first['gt_caption'] += entry['gt_caption']
        self.entries = list(together.values())

    def item(self, index: int, rng: np.random.Generator | None) -> dict[str, Any]:
        """Without ``targets``."""
        inputs = self.inputs(self.seen(index), np.zeros(0, np.int64), None)
        return dict(inputs=inputs, data_samples=sample(self.entries[index], ('image_id', 'img_path', 'gt_caption')))


def _several(entry: Mapping[str, Any]) -> list[str]:
    """Captions of an entry.

    Raises:
        UserError: If it has none.
    """
    captions = entry['gt_caption']
    captions = [captions] if isinstance(captions, str) else captions
    if not isinstance(captions, list) or not all(isinstance(caption, str) for caption in captions):
        raise DataError(f'the caption of {entry["img_path"]} is {shown(captions)}, and no text: correct the entry')
    return captions
