"""Images read from shards: at random and in the local order from this machine's disk, and in the local order from a
server on it that answers as S3 does, with and without reading ahead.

Each form reads all images once, in batches of 64 by two workers, decodes them and cuts out views of 224 pixels, as
pre-training does. The server is a process of its own, and costs next to nothing, see ``range_server.py``. Nothing of a
shard is here when a form begins to read from it, and the page cache is emptied of the shards before each form.
"""

import itertools
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import cv2
import numpy as np
from harness import Case, main
from shard_files import add, forget
from torch.utils.data import DataLoader, default_collate

from lgd_mm.datasets import IndexedImages, ViewSampler
from lgd_mm.datasets.index import build_index
from tests.object_store import ENVIRONMENT

PIPELINE = [dict(type='lgd_mm.LoadImage'), dict(type='lgd_mm.RandomView', size=224), dict(type='lgd_mm.PackView')]
SHARDS, BATCH, WORKERS = 8, 64, 2


class Unannounced(IndexedImages):
    """Is not told what is asked for soon."""

    def expect(self, numbers: Iterable[int]) -> None:
        """Fetch nothing ahead."""


def drawn_images() -> list[bytes]:
    """JPEG images of 500 x 375 pixels and about 60 KB."""
    rng = np.random.default_rng(0)
    return [cv2.imencode('.jpg', cv2.resize(rng.integers(0, 256, (90, 120, 3), np.uint8), (500, 375)))[1].tobytes()
            for _ in range(16)]


def write_shards(folder: Path, images: int) -> None:
    """Drawn ones, again and again."""
    kinds = drawn_images()
    (folder / 'shards').mkdir()
    for shard in range(SHARDS):
        with tarfile.open(folder / 'shards' / f'{shard:03d}.tar', 'w') as tar:
            for number in range(shard * images // SHARDS, (shard + 1) * images // SHARDS):
                add(tar, f'{number:07d}.jpg', kinds[number % len(kinds)])
    build_index(folder / 'shards', folder / 'index')


def cases(quick: bool) -> list[Case]:
    """One set, read in four ways."""
    folder = Path(tempfile.mkdtemp())
    images = 1024 if quick else 8192
    write_shards(folder, images)
    os.environ.update(ENVIRONMENT, LGD_CACHE_DIR=str(folder / 'copies'))
    server = subprocess.Popen([sys.executable, Path(__file__).with_name('range_server.py'), folder],
                              stdout=subprocess.PIPE, text=True)
    running.append(server)
    os.environ['AWS_ENDPOINT_URL'] = server.stdout.readline().strip()
    epochs = itertools.count()

    def read(root: str, sequential: bool, kind: type[IndexedImages] = IndexedImages) -> Callable[[], None]:
        data = kind(str(folder / 'index'), data_root=root, pipeline=PIPELINE)
        sampler = ViewSampler(data, seed=0, sequential=sequential)

        def run() -> None:
            shutil.rmtree(folder / 'copies', ignore_errors=True)
            forget(folder / 'shards')
            sampler.set_epoch(next(epochs))
            loader = DataLoader(data, BATCH, sampler=sampler, num_workers=WORKERS, collate_fn=default_collate)
            assert sum(1 for _ in loader) == images // BATCH

        return run

    here = str(folder / 'shards')
    return [Case(f'{images:,} images in {SHARDS} shards', {
        'disk, at random': read(here, False), 'disk, local order': read(here, True),
        'S3, local order, read ahead': read('s3://shards', True),
        'S3, local order, not ahead': read('s3://shards', True, Unannounced)}, 'disk, at random')]


#: The server, which ends with this process.
running: list[subprocess.Popen[str]] = []

if __name__ == '__main__':
    try:
        main(cases, __doc__)
    finally:
        for _server in running:
            _server.kill()
