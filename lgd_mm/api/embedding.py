"""A student's features of images."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from mmcv.transforms import CenterCrop, Compose
from mmengine.device import get_device
from mmpretrain.datasets.transforms import ResizeEdge
from rich.console import Console
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from lgd_mm.api.auto import workers
from lgd_mm.api.images import images_in
from lgd_mm.api.student import Student, load_student
from lgd_mm.console.progress import track
from lgd_mm.datasets.loading import LoadImage, UnreadableImage
from lgd_mm.datasets.shared_memory import handed_over, shared
from lgd_mm.errors import DataError, UserError
from lgd_mm.models.features import mean_pool

#: Images at a time.
BATCH = 64


class Embedded(NamedTuple):
    """Of the images of a batch.

    Attributes:
        paths (list[str]): The images.
        features (Tensor): Pooled last output of the backbone (B, d), float32, on the CPU.
        embeddings (Tensor, optional): In the teacher's space (B, D); None for a student without projection.
    """

    paths: list[str]
    features: Tensor
    embeddings: Tensor | None


@dataclass(frozen=True)
class Embeddings:
    """Of N images.

    Attributes:
        paths (list[str]): The images that could be read.
        features (Tensor): Pooled last output of the backbone (N, d), float32.
        embeddings (Tensor, optional): In the teacher's space (N, D), not normalised; None for a student without
            projection.
        unreadable (list[str]): What could not be read, and why.
    """

    paths: list[str]
    features: Tensor
    embeddings: Tensor | None
    unreadable: list[str]


def embed(student: Student | str | Path, images: str | Path | Sequence[str | Path], *,
          image_size: int | None = None) -> Embeddings:
    """Compute a student's features of images, resized and cropped in the middle as in the evaluations.

    :func:`lgd_mm.api.write_features` writes those of any number of images to a file instead.

    Args:
        student (Student | str | Path): A student, or whatever :func:`lgd_mm.load_student` takes.
        images (str | Path | Sequence[str | Path]): A folder of images, an image, or several.
        image_size (int, optional): Side of the crop, in pixels. Defaults to None: that of the student's training.

    Returns:
        Embeddings: In the order of the images, on the CPU; what cannot be read is left out and named.

    Raises:
        UserError: If the student or the images cannot be used.
    """
    if not isinstance(student, Student):
        student = load_student(student)
    unreadable: list[str] = []
    parts = list(embedded(student, paths_of(images), unreadable, image_size))
    embeddings = [part.embeddings for part in parts if part.embeddings is not None]
    return Embeddings([path for part in parts for path in part.paths], torch.cat([part.features for part in parts]),
                      torch.cat(embeddings) if embeddings else None, unreadable)


@torch.no_grad()
def embedded(student: Student, paths: Sequence[str], unreadable: list[str], image_size: int | None = None
             ) -> Iterator[Embedded]:
    """Compute a student's features of images, batch by batch.

    Args:
        student (Student): The student.
        paths (Sequence[str]): Of the images.
        unreadable (list[str]): What cannot be read, and why, is added to it.
        image_size (int, optional): Side of the crop, in pixels. Defaults to None: that of the student's training.

    Yields:
        Embedded: Of the images of a batch that can be read, at least one.

    Raises:
        DataError: If none of the images can be read.
    """
    size = student.image_size if image_size is None else image_size
    processes = workers(1)[0]
    loader = DataLoader(Pictures(paths, size), BATCH, num_workers=processes, collate_fn=partial(shared, list))
    device, home = get_device(), student.mean.device
    student.to(device)
    try:
        # Standard output may be taken for the result.
        batches = handed_over(loader, processes)
        shown = track(batches, 'batches of images', len(loader), Console(stderr=True))
        for batch in batches if len(paths) <= BATCH else shown:
            unreadable += [item for item in batch if isinstance(item, str)]
            items = [item for item in batch if not isinstance(item, str)]
            if items:
                maps = student.maps(torch.stack([pixels for _, pixels in items]).to(device).float() / 255)
                yield Embedded([path for path, _ in items], mean_pool(maps[-1]).cpu(),
                               None if student.neck is None else student.project(maps).cpu())
    finally:
        student.to(home)
    if len(unreadable) == len(paths):
        raise DataError(f'none of {len(paths)} images can be read: {unreadable[0]}')


def paths_of(images: str | Path | Sequence[str | Path]) -> list[str]:
    """Paths of images, all of which exist.

    Args:
        images (str | Path | Sequence[str | Path]): A folder of images, an image, or several of them.

    Raises:
        UserError: If one is missing, or there is none.
    """
    if isinstance(images, (str, Path)):
        return [str(images)] if os.path.isfile(images) else images_in(images)
    missing = next((path for path in images if not os.path.exists(path)), None)
    if missing is not None or not images:
        raise UserError(f'images: {missing} is no file' if missing is not None else 'images is empty: give an image')
    return [found for path in images for found in paths_of(path)]


def short_side(size: int) -> int:
    """To which an image is resized before the crop of that size is cut out: 256 for 224, as in the configs."""
    return size * 256 // 224


class Pictures(Dataset[tuple[str, Tensor] | str]):
    """Images resized and cropped in the middle.

    Args:
        paths (Sequence[str]): Of the images.
        size (int): Side of the crop, in pixels.
    """

    def __init__(self, paths: Sequence[str], size: int) -> None:
        self.paths = paths
        self.transform = Compose([LoadImage(), ResizeEdge(short_side(size), 'short', 'pillow'),
                                  CenterCrop(crop_size=size)])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[str, Tensor] | str:
        """Path and RGB pixels (3, size, size), uint8; why it cannot be read."""
        try:
            results = self.transform(dict(img_path=self.paths[index]))
        except UnreadableImage as error:
            return str(error)
        return self.paths[index], torch.from_numpy(results['img'][..., ::-1].copy()).permute(2, 0, 1)
