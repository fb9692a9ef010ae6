"""Copies of objects that would make room for each other before they are read."""

import os

from mmengine.dist import get_world_size
from mmengine.runner import Runner

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.indexed_images import IndexedImages
from lgd_mm.datasets.view_sampler import ViewSampler
from lgd_mm.storage.room import room

#: What is kept of shards for a byte that is wanted of them at a time: pieces reach beyond it, and the next come before
#: the last have gone.
KEPT = 2


def check_storage_room(runner: Runner) -> None:
    """Warn if images of an object store come from more of its shards at a time than copies may be kept of: the same
    bytes would be fetched again and again.

    Args:
        runner (Runner): About to train.
    """
    loader = runner.train_loop.dataloader
    sampler = getattr(loader.batch_sampler, 'sampler', loader.sampler)
    if not isinstance(loader.dataset, IndexedImages) or not isinstance(sampler, ViewSampler):
        return
    needed, size = KEPT * loader.dataset.bytes_fetched(sampler.mixed) / machines(), room()
    if needed > size:
        cure = '' if sampler.sequential else ' or train_dataloader.sampler.sequential=True'
        print_rank0(f'warning: the images come from about {needed / 1e9:,.3g} GB of shards at a time, and their copies '
                    f'on a machine may take {size / 1e9:g} GB, so that the same bytes will be fetched many times: set '
                    f'LGD_STORAGE_GB={needed / 1e9:.3g}{cure}')


def machines() -> int:
    """How many this run is on, as torchrun or Slurm say."""
    return int(os.environ.get('SLURM_NNODES') or 0) or max(
        1, get_world_size() // int(os.environ.get('LOCAL_WORLD_SIZE') or get_world_size()))
