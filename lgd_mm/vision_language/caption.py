"""Captions of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.device import get_device

from lgd_mm.errors import UserError
from lgd_mm.prediction.table import safe_path, safe_text
from lgd_mm.vision_language.files import CAPTIONS, write_found
from lgd_mm.vision_language.inputs import batches_of, stacked
from lgd_mm.vision_language.student import Student


@dataclass(frozen=True)
class Captions:
    """Of N images.

    Attributes:
        paths (list[str]): The images that could be read.
        captions (list[str]): Of each.
        unreadable (list[str]): What could not be read, and why.
    """

    paths: list[str]
    captions: list[str]
    unreadable: list[str]

    def write(self, file: str | Path) -> Path:
        """Write a table with the columns image and caption, safe to open in a spreadsheet, or the same as JSON.

        Args:
            file (str | Path): ``.csv`` or ``.json``; replaced if it is one that was written like this.

        Returns:
            Path: The file.

        Raises:
            UserError: If it cannot be written, or is any other file.
        """
        return write_found(Path(file), CAPTIONS, [dict(zip(CAPTIONS, row)) for row in zip(self.paths, self.captions)],
                           ([safe_path(path), safe_text(text)] for path, text in zip(self.paths, self.captions)))


@torch.no_grad()
def write_captions(student: Student, network: Any, paths: Sequence[str], beams: int | None,
                   workers: int) -> Captions:
    """Write a caption for each image, as the tests of a training do.

    Args:
        student (Student): Trained for captions.
        network (DetectorRegions | GridRegions): What sees the images for it.
        paths (Sequence[str]): Of the images.
        beams (int, optional): Captions that are followed at a time. None: as it was trained.
        workers (int): Processes that read images.

    Returns:
        Captions: In the order of the images.

    Raises:
        UserError: If ``beams`` is no such number, or no image can be read.
    """
    task: Any = student.model.task
    if beams is not None:
        if not 1 <= beams <= student.model.transformer.words.num_embeddings:
            raise UserError(f'beams is {beams}: give a number from 1 to the '
                            f'{student.model.transformer.words.num_embeddings} word pieces of {student.path}')
        task.beams = beams
    student.model.to(get_device())
    found, unreadable = Captions([], [], []), list[str]()
    nothing = np.zeros(0, np.int64)
    for batch in batches_of(network, paths, workers, unreadable):
        if batch:
            inputs = stacked(student, [(nothing, seen.regions) for seen in batch])
            found.paths.extend(seen.path for seen in batch)
            found.captions.extend(task.predict(student.model, inputs)[1])
    found.unreadable.extend(unreadable)
    return found
