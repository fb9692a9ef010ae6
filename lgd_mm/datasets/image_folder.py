"""Pre-training images: any folder of images, nested or flat, without labels."""

import hashlib
import logging
import os
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import BaseDataset
from mmengine.dist import all_reduce
from mmengine.logging import print_log

from lgd_mm.console.printable import printable
from lgd_mm.datasets.loading import UnreadableImage
from lgd_mm.errors import DataError, UserError
from lgd_mm.io.image_files import EXTENSIONS, files_below
from lgd_mm.registry import DATASETS


@DATASETS.register_module()
class UnlabelledImages(BaseDataset):
    """Every image below a folder: an own collection, ImageNet's ``train``, COCO's ``train2017``, ADE20K's
    ``images/training``.

    Items are asked for by the keys of :class:`lgd_mm.datasets.ViewSampler`, whose seed sets every random state the
    pipeline may use, so that a view depends on nothing else. An image that cannot be read is replaced by the next
    readable one and remembered in :attr:`unreadable`.

    Args:
        data_root (str): Folder.
        data_prefix (dict): ``img_path`` is a folder below it. Defaults to ``dict(img_path='')``.
        pipeline (Sequence): Transforms; the first is ``lgd_mm.LoadImage``.
        extensions (Sequence[str]): File endings that are images. Defaults to the common ones.
        **kwargs: See :class:`mmengine.dataset.BaseDataset`.

    Attributes:
        names (str): Digest of the images' names, wherever the folder lies.

    Raises:
        UserError: If the folder is missing or holds no image, or if none of them can be read.
    """

    names: str

    def __init__(self,
                 data_root: str,
                 data_prefix: dict[str, Any] | None = None,
                 pipeline: Sequence[Any] = (),
                 extensions: Sequence[str] = EXTENSIONS,
                 **kwargs: Any) -> None:
        self.extensions = tuple(extensions)
        super().__init__(
            data_root=data_root, data_prefix=data_prefix or dict(img_path=''), pipeline=list(pipeline), **kwargs)

    def full_init(self) -> None:
        """List the images; the flags of unreadable ones are shared with the loader's workers."""
        if self._fully_initialized:
            return
        super().full_init()
        self._unreadable = torch.zeros(len(self), dtype=torch.bool).share_memory_()

    def load_data_list(self) -> list[dict[str, Any]]:
        """Images below the folder, in the order of their paths."""
        folder = Path(self.data_prefix['img_path'])
        if not folder.is_dir():
            raise UserError(f'image folder {folder} does not exist: set train_dataloader.dataset.data_root to yours')
        paths = sorted(path for path in files_below(folder) if path.lower().endswith(self.extensions))
        if not paths:
            raise UserError(f'image folder {folder} holds no image ({", ".join(self.extensions)}): set '
                            'train_dataloader.dataset.data_root to a folder with images')
        return self.listed(paths)

    def listed(self, paths: Iterable[str]) -> list[dict[str, Any]]:
        """Items of some paths, whose names below the folder are remembered as :attr:`names`.

        Args:
            paths (Iterable[str]): All below the folder.

        Returns:
            list[dict[str, Any]]: Each with ``img_path``.
        """
        folder = os.fspath(Path(self.data_prefix['img_path']))
        items, digest = [dict(img_path=path) for path in paths], hashlib.sha256()
        for item in items:
            digest.update(os.fsencode(item['img_path'].replace(folder, '', 1)) + b'\0')
        self.names = digest.hexdigest()
        return items

    def digest(self) -> str:
        """SHA-256 of the images' names and sizes, wherever their folder lies, in hex."""
        digest, root = hashlib.sha256(), self.data_prefix['img_path']
        for index in range(len(self)):
            path = self.get_data_info(index)['img_path']
            digest.update(os.fsencode(f'{os.path.relpath(path, root)}\0{os.path.getsize(path)}\n'))
        return digest.hexdigest()

    def gather_unreadable(self) -> None:
        """Make known to every process what any of them could not read."""
        flags = self._unreadable.int()
        all_reduce(flags)
        self._unreadable.copy_(flags > 0)

    @property
    def unreadable(self) -> list[str]:
        """Paths of the images that could not be read so far, in all workers."""
        return [printable(self.get_data_info(int(index))['img_path']) for index in self._unreadable.nonzero()]

    def __getitem__(self, view: tuple[int, ...]) -> Any:
        """One view of one image, or of the next one that can be read.

        Args:
            view (tuple[int, ...]): Of :class:`lgd_mm.datasets.view_sampler.ViewKey`.
        """
        if not isinstance(view, tuple):
            raise UserError(f'lgd_mm.{type(self).__name__} needs train_dataloader.sampler.type=lgd_mm.ViewSampler')
        if torch.utils.data.get_worker_info() is None:
            with preserved_random_states():
                return self._readable(*view)
        return self._readable(*view)

    def _readable(self, index: int, *view: int) -> Any:
        """The view of the image, or of the next one that can be read."""
        for candidate in range(index, index + len(self)):
            candidate %= len(self)
            if self._unreadable[candidate]:
                continue
            try:
                return self.view(candidate, *view)
            except UnreadableImage as error:
                self._unreadable[candidate] = True
                self.tell_skipped(candidate, error)
        raise DataError(f'none of the {len(self)} images in {self.data_prefix["img_path"]} can be read')

    def tell_skipped(self, index: int, error: UnreadableImage) -> None:
        """Log that an image is left out, and why."""
        print_log(f'skipped {printable(str(error))}', logger='current', level=logging.WARNING)

    def view(self, index: int, seed: int, number: int = 0) -> Any:
        """One view of one image.

        Args:
            index (int): Of the image.
            seed (int): Of the view's random numbers.
            number (int): Of the view among those of its image; nothing depends on it here. Defaults to 0.

        Raises:
            UnreadableImage: If the image cannot be read.
        """
        seed_all(seed)
        return self.prepare_data(index)


def seed_all(seed: int) -> None:
    """Seed Python, NumPy and torch's CPU generator, which transforms draw from."""
    random.seed(seed)
    np.random.seed(seed)
    torch.default_generator.manual_seed(seed)  # manual_seed() would also queue a call for each GPU, at half the time


class preserved_random_states:  # noqa: N801 - a context manager, read like a function
    """Put the main process's random states back, when it loads the images itself."""

    def __enter__(self) -> None:
        self._states = random.getstate(), np.random.get_state(), torch.get_rng_state()

    def __exit__(self, *_: object) -> None:
        random.setstate(self._states[0])
        np.random.set_state(self._states[1])
        torch.set_rng_state(self._states[2])
