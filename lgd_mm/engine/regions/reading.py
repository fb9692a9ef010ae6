"""Images as the networks take them, one after another."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import cv2
from torch.utils.data import DataLoader, Dataset

from lgd_mm.console.words import first_line
from lgd_mm.datasets.loading import LoadImage, UnreadableImage, of_the_machine
from lgd_mm.datasets.shared_memory import handed_over, shared
from lgd_mm.errors import UserError


class Loading(NamedTuple):
    """How images are loaded.

    Attributes:
        batch_size (int): Images at a time.
        workers (int): Processes that read them.
    """

    batch_size: int
    workers: int


class Unreadable(NamedTuple):
    """An image that cannot be read.

    Attributes:
        path (str): Its file.
        reason (str): Why.
    """

    path: str
    reason: str


class _Images(Dataset[Any]):
    """Images by their paths, or why they cannot be read."""

    def __init__(self, paths: Sequence[str], read: Callable[[str], Any]) -> None:
        self.paths, self.read = paths, read

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Any:
        """What :attr:`read` makes of an image."""
        try:
            return self.read(self.paths[index])
        except (AssertionError, OSError, UnreadableImage, cv2.error) as error:  # an image of no height, once resized
            if of_the_machine(error):
                raise
            return Unreadable(self.paths[index], _reason(error, self.paths[index]))


def _reason(error: Exception, path: str) -> str:
    """Why an image cannot be read, in better words than a pipeline's: it says no more than that it failed, or where in
    OpenCV."""
    try:
        height, width = LoadImage()(dict(img_path=path))['img'].shape[:2]
    except UnreadableImage as broken:
        return first_line(broken).removeprefix(f'{path}: ')
    if getattr(error, 'func', '') == 'resize':
        return f'{width} x {height} pixels: too narrow for this detector'
    return f'the pipeline of the detector cannot read its {width} x {height} pixels: {first_line(error)}'


def batches_of(paths: Sequence[str], parts: Sequence[range], read: Callable[[str], Any],
               loading: Loading) -> Iterator[list[Any]]:
    """Images of some parts; no batch spans two of them, so that a part's bytes depend on nothing but its images.

    Args:
        paths (Sequence[str]): Of all images.
        parts (Sequence[range]): Of places among them.
        read (Callable[[str], Any]): Makes of a path what a network takes.
        loading (Loading): How.

    Yields:
        list[Any]: Each batch.

    Raises:
        UserError: If one cannot be read.
    """
    for batch in tried_batches_of(paths, parts, read, loading):
        unreadable = next((item for item in batch if isinstance(item, Unreadable)), None)
        if unreadable is not None:
            raise UserError(f'{unreadable.path} cannot be read ({unreadable.reason}): replace it, or take it out and '
                            'give another --out, as a store is of the images that it began with')
        yield batch


def tried_batches_of(paths: Sequence[str], parts: Sequence[range], read: Callable[[str], Any],
                     loading: Loading) -> Iterator[list[Any]]:
    """The same, with :class:`Unreadable` for an image that cannot be read."""
    places = [list(part[start:start + loading.batch_size]) for part in parts
              for start in range(0, len(part), loading.batch_size)]
    loader = DataLoader(_Images(paths, read), batch_sampler=places, num_workers=loading.workers,
                        collate_fn=partial(shared, list))
    yield from handed_over(loader, loading.workers)
