"""Regions and texts of a batch as a student reads them."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from mmengine.dataset import default_collate
from numpy.typing import NDArray
from rich.console import Console
from torch import Tensor

from lgd_mm.console.progress import track
from lgd_mm.datasets.regions import Regions
from lgd_mm.engine.regions.of_files import Seen, regions_of_files
from lgd_mm.engine.regions.reading import Loading
from lgd_mm.vision_language.student import Student

#: Images that are read at a time.
READ = 8


def stacked(student: Student, batch: Sequence[tuple[NDArray[Any], Regions]]) -> dict[str, Tensor]:
    """What the model reads, on its device.

    Args:
        student (Student): The student.
        batch (Sequence[tuple]): Word pieces of a text, and the regions of its image.

    Returns:
        dict[str, Tensor]: As of :meth:`lgd_mm.VisionLanguageModel.encode`.
    """
    sequences, device = student.sequences, next(student.model.parameters()).device
    items = [sequences.inputs(text, sequences.tags(regions), dict(regions=regions)) for text, regions in batch]
    return {key: value.to(device) for key, value in default_collate(
        [{key: torch.from_numpy(value) for key, value in item.items()} for item in items]).items()}


def batches_of(network: Any, paths: Sequence[str], workers: int, unreadable: list[str]) -> Iterator[list[Seen]]:
    """Images with their regions, and on standard error how far it is: standard output may be taken for the result.

    Args:
        network (DetectorRegions | GridRegions): What sees the images.
        paths (Sequence[str]): Of the images.
        workers (int): Processes that read them.
        unreadable (list[str]): What cannot be read, and why, is added to it.

    Returns:
        Iterator[list[Seen]]: See :func:`lgd_mm.engine.regions.of_files.regions_of_files`.
    """
    batches = regions_of_files(network, paths, Loading(READ, workers), unreadable)
    if len(paths) <= READ:
        return batches
    return track(batches, 'batches of images', -(-len(paths) // READ), Console(stderr=True))
