"""Flip single bits of what a run reads, one at a time: python tests/faults/flips.py [--flips 10000]

Of shards, their index, a teacher cache and a checkpoint, in turn. Each flip is either harmless, so that all that is
read is what it was, or is told by the name of its file before it is taught.
"""

import argparse
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from lgd_mm.console.progress import track
from lgd_mm.datasets import IndexedImages
from lgd_mm.datasets.index import build_index
from lgd_mm.engine.fill_teacher_cache import CacheFiller
from lgd_mm.engine.launch import train
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.teacher_cache import TeacherCache
from tests.tiny import write_images, write_lgd_config

IMAGES, VIEWS, CROPS = 12, 2, 2
PIPELINE = [dict(type='lgd_mm.LoadImage'), dict(type='lgd_mm.RandomView', size=32), dict(type='lgd_mm.PackView')]


def write_all(folder: Path) -> None:
    """What a run reads, below a folder."""
    paths = sorted(write_images(folder / 'images', IMAGES, size=24))
    (folder / 'shards').mkdir()
    for shard in range(2):
        with tarfile.open(folder / 'shards' / f'{shard}.tar', 'w') as tar:
            for path in paths[shard::2]:
                tar.add(path, path.name)
    build_index(folder / 'shards', folder / 'index')
    config = write_lgd_config(folder, folder / 'images', train_cfg=dict(max_epochs=1),
                              train_dataloader=dict(dataset=dict(pipeline=PIPELINE)))
    CacheFiller(str(config), str(folder / 'cache'), VIEWS, crops=CROPS, crop_scale=(0.1, 0.2)).fill()
    train(str(config), work_dir=str(folder / 'run'))


class Images:
    """Reads all images of the shards.

    Args:
        folder (Path): Of :func:`write_all`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self) -> dict[str, Any]:
        """Pixels by number; those of which it is told that they cannot be read are left out.

        Raises:
            UserError: If the index is damaged.
        """
        images = IndexedImages(str(self.folder / 'index'), data_root=str(self.folder / 'shards'), pipeline=PIPELINE[:1])
        images.full_init()
        found = {}
        for number in range(len(images)):
            view = images._readable(number, 0, 0)
            if not images._unreadable[number]:
                found[str(number)] = view['img']
        return found


def cached(folder: Path) -> dict[str, Any]:
    """All rows of the cache."""
    cache = TeacherCache(folder / 'cache')
    rows = {f'{image} {cut}': cache.entry(cut, image).tobytes() for image in range(cache.about['pictures'])
            for cut in range(cache.cuts)}
    return rows | {f'{image}': cache.boxes(image).tobytes() for image in range(cache.about['pictures'])} | {
        'about': repr(cache.about)}


def checkpoint(folder: Path) -> dict[str, Any]:
    """All that a run goes on from."""
    content = load_checkpoint_file(folder / 'run' / 'epoch_1.pth')
    flat = dict(content['state_dict'])
    for number, state in content['optimizer']['state'].items():
        flat |= {f'{number} {key}': value for key, value in state.items()}
    return flat | {'meta': repr(content['meta']), 'schedulers': repr(content['param_schedulers'])}


def same(found: Any, expected: Any) -> bool:
    """Whether two values are, bit by bit."""
    if isinstance(expected, np.ndarray):
        return np.array_equal(found, expected)
    return torch.equal(found, expected) if isinstance(expected, torch.Tensor) else bool(found == expected)


def flip(files: list[Path], read: Callable[[], dict[str, Any]], number: int, seed: int) -> Counter[str]:
    """Flip bits of some files, each as likely.

    Args:
        files (list[Path]): All of one kind.
        read (Callable[[], dict[str, Any]]): Reads what they hold.
        number (int): Of flips.
        seed (int): Decides which bits.

    Returns:
        Counter[str]: How many were harmless, and how many were told.

    Raises:
        AssertionError: If one changed what is read.
    """
    whole, outcomes = read(), Counter[str]()
    sizes = [file.stat().st_size for file in files]
    ends = np.cumsum(sizes)
    places = np.random.default_rng(seed).integers(0, 8 * int(ends[-1]), number)
    for bit in track(places.tolist(), f'flips in {files[0].parent.name}', number):
        which = int(np.searchsorted(ends, bit // 8, side='right'))
        place = bit // 8 - (int(ends[which - 1]) if which else 0)
        with files[which].open('r+b') as file:
            file.seek(place)
            before = file.read(1)
            file.seek(place)
            file.write(bytes([before[0] ^ 1 << bit % 8]))
            file.flush()
            try:
                found = read()
            except UserError as error:
                told = files[which].name in str(error) or files[which].parent.name in str(error)
                assert told, f'{files[which]} is not named: {error}'
                outcomes['told'] += 1
            else:
                changed = [key for key, value in found.items() if not same(value, whole.get(key))]
                assert not changed, f'bit {bit % 8} of byte {place} of {files[which]} changes {changed} unseen'
                outcomes['told' if len(found) < len(whole) else 'harmless'] += 1
            file.seek(place)
            file.write(before)
    return outcomes


def flip_all(folder: Path, flips: int, seed: int) -> dict[str, Counter[str]]:
    """A quarter of the flips in each kind of file."""
    kinds: dict[str, tuple[list[Path], Callable[[], dict[str, Any]]]] = dict(
        shards=(sorted((folder / 'shards').iterdir()), Images(folder)),
        index=(sorted((folder / 'index').iterdir()), Images(folder)),
        cache=(sorted(path for path in (folder / 'cache').rglob('*') if path.is_file()), lambda: cached(folder)),
        checkpoint=([folder / 'run' / 'epoch_1.pth'], lambda: checkpoint(folder)))
    return {kind: flip(files, read, flips // 4, seed) for kind, (files, read) in kinds.items()}


def main() -> None:
    """Print how many were harmless, and how many were told."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--flips', type=int, default=10_000)
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        write_all(Path(name))
        for kind, outcomes in flip_all(Path(name), args.flips, args.seed).items():
            print(f'{kind}: {outcomes["told"]:,} told, {outcomes["harmless"]:,} harmless', flush=True)


if __name__ == '__main__':
    main()
