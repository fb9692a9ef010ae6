"""Libraries that read images from shards, in one form: a function each that begins an epoch or goes on with one."""

import os
import tarfile
from collections.abc import Callable, Iterator
from importlib import util
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from shard_files import add
from torch.utils.data import DataLoader, Dataset

#: Shards of the whole set.
SHARDS = 16
SEED = 1


class Epoch(NamedTuple):
    """What one process reads.

    Attributes:
        batches (Iterator[Tensor]): Numbers of the images, int64 (B, ).
        state (Callable[[], Any]): What the library saves to go on from, asked for between two batches.
    """

    batches: Iterator[torch.Tensor]
    state: Callable[[], Any]


#: Of the folder of the images, images of a batch, workers, whether shuffled, and the state to go on from.
Reader = Callable[..., Epoch]


def plain_tar(data: Path, batch: int, workers: int, shuffled: bool, state: Any = None) -> Epoch:
    """The yardstick of speed: Python's tarfile from the first byte to the last."""
    def batches() -> Iterator[torch.Tensor]:
        numbers = []
        for shard in sorted((data / 'tars').iterdir()):
            with tarfile.open(shard, 'r|') as tar:
                for member in tar:
                    tar.extractfile(member).read()
                    numbers.append(int(Path(member.name).stem))
                    if len(numbers) == batch:
                        yield torch.tensor(numbers)
                        numbers = []

    return Epoch(batches(), lambda: None)


def lgd_mm(data: Path, batch: int, workers: int, shuffled: bool, state: Any = None) -> Epoch:
    """This package's index of byte ranges."""
    from mmengine.dist import get_world_size

    from lgd_mm.datasets import ShardedImages, ViewSampler
    images = ShardedImages(str(data / 'tars'))
    sampler = ViewSampler(images, shuffle=shuffled, seed=SEED)
    sampler.first = (state or 0) // get_world_size()
    return counted(DataLoader(Bytes(images), batch, sampler=sampler, num_workers=workers, collate_fn=torch.tensor),
                   state or 0)


class Bytes(Dataset):
    """Reads an image, and makes no view of it."""

    def __init__(self, images: Any) -> None:
        self.images = images

    def __getitem__(self, key: Any) -> int:
        from mmengine.fileio import get
        assert get(self.images.get_data_info(key.picture)['img_path'])
        return key.picture


def webdataset(data: Path, batch: int, workers: int, shuffled: bool, state: Any = None) -> Epoch:
    """Shards are dealt to processes and workers; it saves no state, so what was seen is read and thrown away."""
    import webdataset as wds
    stages = [wds.SimpleShardList(sorted(map(str, (data / 'tars').iterdir())))]
    stages += [wds.detshuffle(seed=SEED)] * shuffled
    stages += [wds.split_by_node, wds.split_by_worker, wds.tarfile_to_samples()]
    stages += [wds.detshuffle(seed=SEED)] * shuffled
    stages += [wds.map(lambda sample: int(sample['__key__'])), wds.batched(batch, collation_fn=torch.tensor)]
    epoch = counted(wds.WebLoader(wds.DataPipeline(*stages), batch_size=None, num_workers=workers))
    seen = (state or 0) // (batch * int(os.environ['WORLD_SIZE']))
    return epoch._replace(batches=islice(epoch.batches, seen, None))


def litdata(data: Path, batch: int, workers: int, shuffled: bool, state: Any = None) -> Epoch:
    """Its own chunks, from a disk or an object store."""
    from litdata import StreamingDataLoader, StreamingDataset
    images = StreamingDataset(str(data / 'litdata'), shuffle=shuffled, seed=SEED, drop_last=True)
    loader = StreamingDataLoader(images, batch_size=batch, num_workers=workers, collate_fn=numbers_of)
    if state is not None:
        loader.load_state_dict(state)
    return Epoch(iter(loader), loader.state_dict)


def litdata_parallel(data: Path, *args: Any) -> Epoch:
    """The same from NFS, Lustre or GPFS, where it shuffles chunks as a whole."""
    os.environ['LITDATA_POSIX_FAST'] = '1'
    return litdata(data, *args)


def streaming(data: Path, batch: int, workers: int, shuffled: bool, state: Any = None) -> Epoch:
    """MosaicML's, its own shards."""
    from streaming import StreamingDataLoader, StreamingDataset
    images = StreamingDataset(local=str(data / 'mds'), batch_size=batch, shuffle=shuffled, shuffle_seed=SEED,
                              num_canonical_nodes=1)
    loader = StreamingDataLoader(images, batch_size=batch, num_workers=workers, collate_fn=numbers_of, drop_last=True)
    if state is not None:
        loader.load_state_dict(state)
    return Epoch(iter(loader), loader.state_dict)


def counted(loader: Any, taken: int = 0) -> Epoch:
    """An epoch whose state is the number of images that all processes have taken."""
    state = [taken]

    def batches() -> Iterator[torch.Tensor]:
        for batch in loader:
            state[0] += len(batch) * int(os.environ['WORLD_SIZE'])
            yield batch

    return Epoch(batches(), lambda: state[0])


def numbers_of(samples: list[dict[str, Any]]) -> torch.Tensor:
    """What is kept of a batch, once its bytes were read."""
    assert all(sample['image'] for sample in samples)
    return torch.tensor([sample['number'] for sample in samples])


READERS = {'plain tar': plain_tar, 'lgd_mm': lgd_mm, 'webdataset': webdataset, 'litdata': litdata,
           'litdata, parallel file system': litdata_parallel, 'mosaicml-streaming': streaming}
#: What is imported for them.
PACKAGES = {'lgd_mm': 'lgd_mm.datasets', 'webdataset': 'webdataset', 'litdata': 'litdata',
            'litdata, parallel file system': 'litdata', 'mosaicml-streaming': 'streaming'}


def write(data: Path, images: int, size: int) -> None:
    """The same images as shards, and in the formats of the libraries that have one.

    Args:
        data (Path): An empty folder.
        images (int): Their number, in as many of each shard.
        size (int): Bytes of an image.
    """
    rng = np.random.default_rng(SEED)
    content = [rng.bytes(size) for _ in range(images)]
    (data / 'tars').mkdir()
    each = images // SHARDS
    for shard in range(SHARDS):
        with tarfile.open(data / f'tars/{shard:04}.tar', 'w') as tar:
            for number in range(shard * each, (shard + 1) * each):
                add(tar, f'{number:06}.jpg', content[number])
    samples = [dict(number=number, image=image) for number, image in enumerate(content)]
    if util.find_spec('litdata'):
        from litdata.streaming import Cache
        cache = Cache(str(data / 'litdata'), chunk_size=each)
        for number, sample in enumerate(samples):
            cache[number] = sample
        cache.done()
        cache.merge()
    if util.find_spec('streaming'):
        from streaming import MDSWriter
        with MDSWriter(out=str(data / 'mds'), columns=dict(number='int', image='bytes'),
                       size_limit=each * (size + 17)) as out:
            for sample in samples:
                out.write(sample)
