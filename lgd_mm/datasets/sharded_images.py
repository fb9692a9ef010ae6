"""Pre-training images in tar shards: a few large files instead of millions of small ones, for network storage."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lgd_mm.console.progress import track
from lgd_mm.datasets.image_folder import UnlabelledImages
from lgd_mm.datasets.shard_numbers import check_numbers, check_uncompressed
from lgd_mm.datasets.tar_backend import member_path, name_and_size
from lgd_mm.datasets.tar_index import tar_index
from lgd_mm.errors import UserError
from lgd_mm.io.image_files import files_below
from lgd_mm.registry import DATASETS

#: Shards that are indexed at a time; most of it is waiting for the storage.
AT_A_TIME = 8


@DATASETS.register_module()
class ShardedImages(UnlabelledImages):
    """Every image in the ``*.tar`` below a folder, such as WebDataset's shards; all other members are left alone.

    Images are in the order of their names, whichever shard they are in: shards made of a folder give the views that
    :class:`UnlabelledImages` gives of the folder. The arguments are the same, and so is what happens to images that
    cannot be read. Each is read alone, at random, from shards that are mounted here.

    Raises:
        UserError: If the folder is missing, lacks a shard or holds no image, or if a shard is not whole.
    """

    def load_data_list(self) -> list[dict[str, Any]]:
        """Images in the shards below the folder, in the order of their names."""
        folder = Path(self.data_prefix['img_path'])
        paths = sorted(files_below(folder))
        check_uncompressed(paths)
        shards = [path for path in paths if path.endswith('.tar')]
        if not shards:
            raise UserError(f'image folder {folder} holds no shard (*.tar): set train_dataloader.dataset.data_root to '
                            'one that does')
        check_numbers(shards)
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            indexes = track(pool.map(tar_index, shards), 'looking into shards', len(shards))
            images = sorted((member, shard) for shard, index in zip(shards, indexes) for member in index
                              if member.name.lower().endswith(self.extensions))
        if not images:
            raise UserError(f'the {len(shards):,} shards in {folder} hold no image ({", ".join(self.extensions)})')
        return self.listed(member_path(shard, member) for member, shard in images)

    def digest(self) -> str:
        """That of the folder that the shards were made of, see :meth:`UnlabelledImages.digest`."""
        digest = hashlib.sha256()
        for index in range(len(self)):
            name, size = name_and_size(self.get_data_info(index)['img_path'])
            digest.update(os.fsencode(f'{name}\0{size}\n'))
        return digest.hexdigest()
