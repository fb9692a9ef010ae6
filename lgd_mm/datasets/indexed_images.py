"""Pre-training images whose places were written down before: a run begins at once, however many they are."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dist import all_gather
from numpy.typing import NDArray

from lgd_mm.console.printable import printable
from lgd_mm.datasets.image_folder import UnlabelledImages
from lgd_mm.datasets.index import ImageIndex
from lgd_mm.datasets.loading import ChangedImage, UnreadableImage
from lgd_mm.datasets.tar_backend import member_path
from lgd_mm.datasets.tar_index import Member
from lgd_mm.errors import DataError, UserError
from lgd_mm.registry import DATASETS
from lgd_mm.storage import expect, is_url, join
from lgd_mm.storage.urls import bucket_of

#: Images whose bytes stand for those of all.
SIZES = 1000


@DATASETS.register_module()
class IndexedImages(UnlabelledImages):
    """The images of an index that ``lgd-mm index`` wrote, of folders or shards, in the order of their names: the views
    are those that :class:`UnlabelledImages` gives of the folder.

    No folder is read and no file looked for when a run begins, and the index lies in memory that all processes share.
    What an image holds is compared with the index when it is read.

    Args:
        index (str): Folder of the index, or its URL.
        data_root (str, optional): Folder of the images or its URL, if they were moved since. Defaults to None: as
            indexed; in an object store it must be given, unless the index lies in the same.
        pipeline (Sequence): Transforms; the first is ``lgd_mm.LoadImage``.
        **kwargs: See :class:`mmengine.dataset.BaseDataset`.

    Raises:
        UserError: If it is no index, or damaged, or says by itself in which object store the images are.
    """

    def __init__(self, index: str, data_root: str | None = None, pipeline: Sequence[Any] = (), **kwargs: Any) -> None:
        self.index = ImageIndex(index)
        root = data_root or self.index.root
        if data_root is None and is_url(root) and bucket_of(root) != bucket_of(index):
            raise UserError(f'{index} is of images in {root}, which is asked for nothing unless you say so: set '
                            f'train_dataloader.dataset.data_root={root}')
        self._root = root if is_url(root) else os.path.abspath(root)
        self._changed: set[str] = set()
        super().__init__(data_root=self._root, pipeline=pipeline, **kwargs)

    def full_init(self) -> None:
        """There is nothing to list."""
        if not self._fully_initialized:
            self.names, self._unreadable = self.index.digest, Marks()
            self._fully_initialized: bool = True

    def __len__(self) -> int:
        return len(self.index)

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """``img_path`` of an image, and ``content``, the CRC-32 that it must have."""
        found = self.index[idx % len(self)]
        path = join(self._root, found.source) if found.source else self._root
        if self.index.kind == 'shards':
            path = member_path(path, Member(found.name, found.offset, found.size))
        else:
            path = join(path, found.name)
        return dict(img_path=path, content=found.content, sample_idx=idx)

    def expect(self, numbers: NDArray[np.int64]) -> None:
        """Have what the index says of some images read, and themselves fetched, if they lie in shards in a store.

        Args:
            numbers (np.ndarray): Of the images (n, ), in the order in which they are asked for soon.
        """
        self.index.expect(numbers)
        if is_url(self._root) and self.index.kind == 'shards':
            expect((join(self._root, shard), begin, size) for shard, begin, size in self.index.ranges(numbers))

    def bytes_fetched(self, images: int) -> float:
        """Of so many images, about; 0 if they are no part of shards in an object store.

        Args:
            images (int): Up to all.
        """
        if not is_url(self._root) or self.index.kind != 'shards':
            return 0
        some = np.linspace(0, len(self) - 1, min(len(self), SIZES), dtype=np.int64)
        return images * float(np.mean([size for _, _, size in self.index.ranges(some)] or [0]))

    def digest(self) -> str:
        """That of the index: of the images' names, sizes and contents."""
        return self.index.digest

    def gather_unreadable(self) -> None:
        """Make known to every process what any of them could not read."""
        for other in all_gather(self._unreadable.places):
            for number in other[other >= 0].tolist():
                self._unreadable[number] = True

    def tell_skipped(self, index: int, error: UnreadableImage) -> None:
        """Of a shard that is not what was indexed, the first image stands for all."""
        shard = self.index[index].source
        if self.index.kind != 'shards' or not isinstance(error, ChangedImage):
            super().tell_skipped(index, error)
        elif shard not in self._changed:
            self._changed.add(shard)
            super().tell_skipped(index, ChangedImage(
                f'{error}; others of this shard are counted alone. If it was written anew, run lgd-mm index again, and '
                'begin a new run'))

    @property
    def unreadable(self) -> list[str]:
        """Paths of the images that could not be read so far, in all workers."""
        return [printable(self.get_data_info(number)['img_path']) for number in self._unreadable.numbers()]


class Marks:
    """A few of very many numbers, in memory that a loader's workers share: a table in which a number's place follows
    from it, or the next that is free. What two write at once may be lost, and is then found again.

    Args:
        most (int): Numbers. Defaults to 65536.
    """

    def __init__(self, most: int = 65536) -> None:
        self.most = most
        self.places = torch.full((2 * most, ), -1, dtype=torch.long).share_memory_()

    def __getitem__(self, number: int) -> bool:
        return int(self.places[self._place(number)]) == number

    def __setitem__(self, number: int, value: bool) -> None:
        if len(self) >= self.most:
            raise DataError(f'{len(self):,} images cannot be read: see the log for which, and correct what they have '
                            'in common')
        self.places[self._place(number)] = number

    def __len__(self) -> int:
        return int((self.places >= 0).sum())

    def numbers(self) -> list[int]:
        """Those marked, in order."""
        return sorted(self.places[self.places >= 0].tolist())

    def _place(self, number: int) -> int:
        """Where a number is, or would be."""
        place = number * 0x9e3779b97f4a7c15 % 2**64 % len(self.places)
        while int(self.places[place]) not in (-1, number):
            place = (place + 1) % len(self.places)
        return place
