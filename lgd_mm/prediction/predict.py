"""From a network, images and videos to a folder of predictions; stopped, it goes on where it was."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from mmengine.dataset import pseudo_collate
from PIL import Image
from rich.console import Console
from torch.utils.data import DataLoader

from lgd_mm.console.progress import track
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.shared_memory import handed_over, shared
from lgd_mm.errors import UserError
from lgd_mm.io.digests import file_digest
from lgd_mm.io.lock import alone_in_run
from lgd_mm.prediction.asked import check_out
from lgd_mm.prediction.found import Found, draw, mask_of, read_sample
from lgd_mm.prediction.ids import counted, ids_of_file
from lgd_mm.prediction.journal import Journal
from lgd_mm.prediction.network import Network
from lgd_mm.prediction.outcome import DRAWN, MASK_FILES, Outcome, finish
from lgd_mm.prediction.reading import Frames, Images, Read, Reader, Unreadable
from lgd_mm.prediction.sources import Sources
from lgd_mm.prediction.videos import UnreadableVideo, frame_count
from lgd_mm.version import __version__

#: Of the drawings; as high as photographs are kept.
JPEG_QUALITY = 90
#: An unfinished image.
PART = '.part'


@dataclass(frozen=True)
class Options:
    """How images are predicted.

    Attributes:
        score (float): Of the objects that are drawn, at least.
        drawing (bool): Whether anything is drawn.
        every (int): Frames of a video from one to the next.
        batch_size (int): Images that are read at a time; those of one size go through the network together.
        ids (str, optional): Annotation file whose numbers of images and categories are taken.
    """

    score: float = 0.3
    drawing: bool = True
    every: int = 1
    batch_size: int = 8
    ids: str | None = None


def predict(network: Network, sources: Sources, out: Path, options: Options, workers: int) -> Outcome:
    """Predict images and videos, and write what was found.

    Args:
        network (Network): The network.
        sources (Sources): The images and videos.
        out (Path): New folder, or one in which the same was begun.
        options (Options): How.
        workers (int): Processes that read images.

    Returns:
        Outcome: What was written, and what could not be read.

    Raises:
        UserError: If none can be read, or the folder or the ids cannot be used.
    """
    check_out(out)
    if options.ids is not None and network.scope != 'mmdet':
        raise UserError(f'ids are of images in COCO format, and {network.path} does {network.task}: leave them out')
    ids = counted(network.classes) if options.ids is None else ids_of_file(options.ids, sources, network.classes)
    with alone_in_run(out):
        journal = Journal(out, _request(network, sources, options))
        if journal.done is None or not Outcome.of(out, network, journal).file.exists():
            try:
                _Predicting(network, sources, options, journal).run(workers)
                finish(network, sources, options.score, options.drawing, options.every, ids, journal)
            except torch.OutOfMemoryError as error:
                raise UserError(f'{options.batch_size} images at a time take more memory than the device has: give '
                                'a smaller batch_size, and another folder') from error
            except OSError as error:
                raise UserError(f'predictions to {out} have stopped ({error.strerror or error}): correct that, and the '
                                'same command goes on') from error
        else:
            print_rank0(f'{out}: all of it was there already')
        return Outcome.of(out, network, journal)


def _request(network: Network, sources: Sources, options: Options) -> dict[str, Any]:
    """Whatever decides on what is predicted."""
    listed = sha256()
    for name in [*sources.images, '', *sources.videos]:
        listed.update(os.fsencode(name) + b'\0')
        if name and os.path.exists(sources.path(name)):
            status = os.stat(sources.path(name))  # without compression, all images have one size
            listed.update(f'{status.st_size} {status.st_mtime_ns}'.encode() + b'\0')
    chosen = asdict(options) | dict(ids=None if options.ids is None else file_digest(Path(options.ids)))
    return dict(network=network.digest, images=listed.hexdigest(), version=__version__, **chosen)


class _Predicting:
    """Goes through all sources, from where the journal ends."""

    def __init__(self, network: Network, sources: Sources, options: Options, journal: Journal) -> None:
        self.network, self.sources, self.options, self.journal = network, sources, options, journal
        self.stems = sources.stems()
        self.reader = Reader(network, options.drawing)

    def run(self, workers: int) -> None:
        """Predict what is left."""
        reached: dict[str, int | None] = {}  # of each source: items that are done, or None at its end
        for entry in self.journal.entries():
            reached[entry['source']] = None if entry['ended'] else entry['next']
        left = {source: done for source in ['', *self.sources.videos]
                if (done := reached.get(source, 0)) is not None}
        size = self.options.batch_size
        total = sum(-(-max(self._count(source) - done, 0) // size) for source, done in left.items())
        batches = chain.from_iterable(self._batches(source, done, workers) for source, done in left.items())
        # Standard output may be taken for the result.
        for entry in track(batches, f'batches of {size}', total, Console(stderr=True)):
            self.journal.add(entry)

    def _count(self, source: str) -> int:
        """Images, or about as many frames as a video has."""
        return _frames_of(self.sources.path(source)) // self.options.every if source else len(self.sources.images)

    def _batches(self, source: str, done: int, workers: int) -> Iterator[dict[str, Any]]:
        """Predict what a video, or all images, have left; what is to be known of each batch."""
        dataset: Images | Frames
        if source:
            every = self.options.every
            dataset = Frames(source, self.sources.path(source), every, done * every, self.reader)
            workers = min(workers, 1)
        else:
            names = self.sources.images[done:]
            dataset = Images(names, list(map(self.sources.path, names)), self.reader)
        loader = DataLoader(dataset, self.options.batch_size, num_workers=workers, collate_fn=partial(shared, list))
        for batch in handed_over(loader, workers):
            items = list(self._batch(batch))
            done += sum(source == '' or 'found' in item for item in items)
            # A video that is broken ends there, and is told once.
            yield dict(source=source, next=done, ended=bool(source) and 'unreadable' in items[-1], items=items)
        if source:
            yield dict(source=source, next=done, ended=True, items=[])

    def _batch(self, batch: list[Read | Unreadable]) -> Iterator[dict[str, Any]]:
        """Predict some images, write their own files, and say what is to be known of each."""
        found = dict(self._found([(index, read) for index, read in enumerate(batch) if isinstance(read, Read)]))
        for index, read in enumerate(batch):
            if isinstance(read, Unreadable):
                yield dict(name=read.name, unreadable=read.reason)
                continue
            self._write(read, found[index])
            yield dict(name=read.name, size=list(read.size), found=found[index].record, **read.place)

    @torch.no_grad()
    def _found(self, reads: list[tuple[int, Read]]) -> Iterable[tuple[int, Found]]:
        """Images of one size go through the network together, so that none depends on its neighbours by being padded
        like them."""
        shapes: dict[Any, list[tuple[int, Read]]] = {}
        for index, read in reads:
            shapes.setdefault(read.item['inputs'].shape, []).append((index, read))
        for group in shapes.values():
            samples = self.network.model.test_step(pseudo_collate([read.item for _, read in group]))
            yield from ((index, read_sample(self.network, sample)) for (index, _), sample in zip(group, samples))

    def _write(self, read: Read, found: Found) -> None:
        stem = self.stems.get(read.name, read.name)  # frames have their own
        if found.segments is not None:
            self._place(f'{MASK_FILES}/{stem}.png', mask_of(self.network, found.segments))
        if read.pixels is not None:
            drawing = draw(self.network, read.pixels.numpy(), found, self.options.score)
            self._place(f'{DRAWN}/{stem}.jpg', drawing, quality=JPEG_QUALITY)

    def _place(self, name: str, image: Image.Image, **how: Any) -> None:
        """Write an image whole or not at all."""
        path, part = self.journal.folder / name, self.journal.folder / (PART + name[-4:])
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)  # of a process that was killed, or a link of somebody else
        image.save(part, **how)
        os.replace(part, path)


def _frames_of(path: str) -> int:
    try:
        return frame_count(path)
    except UnreadableVideo:
        return 0
