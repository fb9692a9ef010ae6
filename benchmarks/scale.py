"""What a billion images cost before the first batch: ``python benchmarks/scale.py [--images N] [--real N]``.

A synthetic index of that many images (16 bytes each on the disk, filled with arbitrary bytes but for the rows that are
read, which lead to a few real images) is opened by eight processes, as by the ranks of one machine, with the page cache
emptied of it (cold) and again (warm). Each makes batches of 256 in the random and in the sequential order: first whole
ones, with views of 224 pixels, then of places alone, in which nothing is read but the index. The same with a million
images, in turn. Then real tiny images in shards: the start of a data set by listing them, and by their index.
"""

import argparse
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from collections.abc import Sized
from pathlib import Path

import numpy as np
from reading import PIPELINE, drawn_images
from shard_files import add, forget
from torch.utils.data import BatchSampler

from lgd_mm.datasets import ShardedImages, ViewSampler
from lgd_mm.datasets.index import ImageIndex, build_index
from lgd_mm.datasets.index.rows import BLOCK, FORMAT, IMAGE, SOURCE, said_checksum, shards_checksum
from lgd_mm.datasets.indexed_images import IndexedImages
from lgd_mm.datasets.tar_index import Member, read_members
from lgd_mm.io.rows import about_checksum, array_head

RANKS, BATCH, WHOLE, BATCHES, SHARDS = 8, 256, 4, 50, 100
ORDERS, STATES = ('random', 'sequential'), ('cold', 'warm')
PIXEL = bytes.fromhex('89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8ffff3f'
                      '0005fe02fea735818c0000000049454e44ae426082')


def main() -> None:
    """Make, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--images', type=int, default=10**9, help='of the synthetic index (default: a billion)')
    parser.add_argument('--real', type=int, default=10**5, help='of the shards')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--folder', default=tempfile.gettempdir(), help='with 16 bytes an image, and 2 KB a real one')
    parser.add_argument('--rank', nargs=3, metavar=('INDEX', 'RANK', 'ORDER'), help=argparse.SUPPRESS)
    parser.add_argument('--start', nargs=2, metavar=('KIND', 'FOLDER'), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.rank:
        print(json.dumps(as_rank(Path(args.rank[0]), int(args.rank[1]), args.rank[2])))
    elif args.start:
        print(json.dumps(started(*args.start)))
    else:
        with tempfile.TemporaryDirectory(dir=args.folder) as folder:
            measure(Path(folder), args.images, args.real, args.rounds)


def measure(folder: Path, count: int, real: int, rounds: int) -> None:
    """Both parts."""
    indexes = {number: synthetic(folder / str(number), number) for number in (min(10**6, count // 2), count)}
    rows = {}
    for _ in range(rounds):
        for (number, index), order in itertools.product(indexes.items(), ORDERS):
            for state in STATES:
                if state == 'cold':
                    forget(index)
                for key, value in together(index, order).items():
                    rows.setdefault((number, order, state), {}).setdefault(key, []).append(value)
    for (number, order, state), found in rows.items():
        print(f'{number:>13,} images, {order}, {state}: ' + ', '.join(
            f'{key} {statistics.median(values):.3g}' for key, values in found.items()))
    for order, state in itertools.product(ORDERS, STATES):
        ratios = []
        for kind in ('ms a batch', 'ms for its places'):
            small, large = (statistics.median(rows[number, order, state][kind]) for number in indexes)
            ratios.append(large / small)
        print(f'large to small, {order}, {state}: time of a batch {ratios[0]:.2f}, of its places {ratios[1]:.2f}')
    shutil.rmtree(folder / str(count))
    shards(folder / 'shards', real)
    began = time.perf_counter()
    build_index(folder / 'shards', folder / 'index', len(os.sched_getaffinity(0)))
    print(f'index of {real:,} real images: {time.perf_counter() - began:.1f} s')
    for round_ in range(rounds):
        for kind in ('listed', 'listed again', 'indexed'):
            os.environ['LGD_CACHE_DIR'] = str(folder / f'cache{round_}')
            print(f'  {kind}:', json.dumps(call('--start', kind.split()[0], folder / (
                'index' if kind == 'indexed' else 'shards'))))


def synthetic(folder: Path, count: int) -> Path:
    """An index of that many images, of which those of the first batches are right."""
    folder.mkdir(parents=True)
    images = drawn_images()
    members = write_shard(folder / 'drawn.tar', images)
    names = [f'{shard:06d}.tar'.encode() for shard in range(SHARDS)]
    begins = np.cumsum([0, *(len(name) + 1 for name in names)])[:-1]
    for name in names:
        (folder / name.decode()).hardlink_to(folder / 'drawn.tar')
    (folder / 'names.bin').write_bytes(b''.join(name + b'\0' for name in names))
    sources = np.zeros(SHARDS, SOURCE)
    sources['name'] = begins
    np.save(folder / 'sources.npy', sources)
    about = dict(format=FORMAT, kind='shards', images=count, sources=SHARDS, checked=True, digest='', root=str(folder),
                 named=shards_checksum(sources.tobytes(), (folder / 'names.bin').read_bytes()))
    (folder / 'index.json').write_text(json.dumps(dict(about, check=about_checksum(about))))
    block, head = np.random.default_rng(0).bytes(2**24), array_head(IMAGE, count)
    with (folder / 'images.npy').open('wb') as file:
        file.write(head)
        left = count * IMAGE.itemsize
        while left:
            left -= file.write(block[:left])
        for rank, order in itertools.product(range(RANKS), ORDERS):
            for number in {key.picture for batch in batches(Counted(count), rank, order) for key in batch}:
                member, content = members[number % len(members)], images[number % len(members)]
                said = number % SHARDS, member.offset // BLOCK, member.size
                check = said_checksum(number, names[said[0]], said[1], said[2], b'') ^ zlib.crc32(content)
                file.seek(len(head) + number * IMAGE.itemsize)
                file.write(np.array([(*said, check)], IMAGE).tobytes())
    return folder


class Counted:
    """Something of a length."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count


def write_shard(path: Path, images: list[bytes]) -> list[Member]:
    """Images in a tar, and where they are."""
    with tarfile.open(path, 'w') as tar:
        for number, content in enumerate(images):
            add(tar, f'{number:03d}.jpg', content)
    return list(read_members(str(path)))


def batches(images: Sized, rank: int, order: str):  # noqa: ANN201
    """The keys of a rank's first batches."""
    sampler = ViewSampler(images, seed=0, sequential=order == 'sequential')
    sampler.rank, sampler.world_size = rank, RANKS
    sampler.num_samples = -(-len(images) // RANKS)
    sampler.total_size = sampler.num_samples * RANKS
    for number, batch in enumerate(BatchSampler(sampler, BATCH, drop_last=True)):
        if number == BATCHES:
            return
        yield batch


def call(*arguments: object) -> dict:
    """Of a process of its own."""
    done = subprocess.run([sys.executable, __file__, *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def together(index: Path, order: str) -> dict[str, float]:
    """Eight processes at once: the slowest times, and the memory of all."""
    ranks = [subprocess.Popen([sys.executable, __file__, '--rank', str(index), str(rank), order],
                              stdout=subprocess.PIPE) for rank in range(RANKS)]
    found = [json.loads(rank.communicate()[0].splitlines()[-1]) for rank in ranks]
    return {'s to open': max(each['open'] for each in found), 's to the first batch': max(
        each['first'] for each in found), 'ms a batch': statistics.median(each['batch'] for each in found),
        'ms for its places': statistics.median(each['places'] for each in found),
        'GB in all for the index and its order': sum(each['memory'] for each in found)}


def as_rank(index: Path, rank: int, order: str) -> dict[str, float]:
    """What one of them measures."""
    before, began = memory(), time.perf_counter()
    images = IndexedImages(str(index), pipeline=PIPELINE)
    images.full_init()
    opened = time.perf_counter()
    times = []
    for number, batch in enumerate(batches(images, rank, order)):
        for key in batch:
            images[key] if number < WHOLE else images.get_data_info(key.picture)
        times.append(time.perf_counter())
    return dict(open=opened - began, first=times[0] - began, memory=memory() - before,
                batch=1000 * (times[WHOLE - 1] - times[0]) / (WHOLE - 1),
                places=1000 * (times[-1] - times[WHOLE - 1]) / (len(times) - WHOLE))


def memory() -> float:
    """GB of this process, its share of what several have counted."""
    text = Path('/proc/self/smaps_rollup').read_text()
    return int(text.partition('\nPss:')[2].split()[0]) / 2**20


def shards(folder: Path, count: int) -> None:
    """Tiny images, ten thousand in each."""
    folder.mkdir()
    for shard in range(-(-count // 10_000)):
        with tarfile.open(folder / f'{shard:06d}.tar', 'w') as tar:
            for number in range(10_000 * shard, min(count, 10_000 * (shard + 1))):
                add(tar, f'{number:09d}.png', PIXEL)


def started(kind: str, folder: str) -> dict[str, float]:
    """A data set's start, and what it keeps."""
    before, began = memory(), time.perf_counter()
    images = ShardedImages(folder) if kind == 'listed' else IndexedImages(folder)
    images.full_init()
    return dict(seconds=round(time.perf_counter() - began, 3), gigabytes=round(memory() - before, 4),
                images=len(images) if kind == 'listed' else len(ImageIndex(folder)))


if __name__ == '__main__':
    main()
