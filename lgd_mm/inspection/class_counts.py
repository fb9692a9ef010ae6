"""How often each class is there."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lgd_mm.console.progress import track
from lgd_mm.errors import UserError
from lgd_mm.formats.labelled_set import CLASSIFICATION, DETECTION, LabelledImage, LabelledSet
from lgd_mm.inspection.facts import EXAMPLES, ClassCounts, Problem

#: Masks of a part that are decoded; of more, as many are taken at even distances.
MASKS = 500


def count_classes(labelled: LabelledSet | None) -> tuple[ClassCounts, list[Problem]]:
    """Count objects by class, or images by class; of masks, the images that have a pixel of it.

    Args:
        labelled (LabelledSet, optional): The set; None has no classes.

    Returns:
        tuple[ClassCounts, list[Problem]]: The counts, and masks that cannot be used.
    """
    if labelled is None:
        return ClassCounts(''), []
    if labelled.mask_labels is not None:
        return _of_masks(labelled)
    found = {part: Counter(_labels(labelled.task, images)) for part, images in labelled.splits.items()}
    return ClassCounts('objects' if labelled.task == DETECTION else 'images', _by_class(labelled, found)), []


def _labels(task: str, images: Sequence[LabelledImage]) -> list[int]:
    if task == CLASSIFICATION:
        return [image.label for image in images if image.label is not None]
    return [item.label for image in images for item in image.objects]


def _of_masks(labelled: LabelledSet) -> tuple[ClassCounts, list[Problem]]:
    assert labelled.mask_labels is not None
    found: dict[str, Counter[int]] = {}
    faults: list[UserError] = []
    looked_at = 0
    for part, images in labelled.splits.items():
        found[part] = Counter()
        masks = evenly([image.mask for image in images if image.mask], MASKS)
        for path in track(masks, f'masks of {part}', len(masks)):
            try:
                found[part].update(np.unique(labelled.mask_labels.read(path)).tolist())
                looked_at += 1
            except UserError as error:
                faults.append(error)
    problems = [Problem('masks cannot be used', len(faults), [str(error) for error in faults[:EXAMPLES]],
                        'correct or replace them')] if faults else []
    every = looked_at + len(faults) == sum(map(len, labelled.splits.values()))
    return ClassCounts('images with it', _by_class(labelled, found), None if every else looked_at), problems


def _by_class(labelled: LabelledSet, found: dict[str, Counter[int]]) -> dict[str, dict[str, int]]:
    return {name: {part: counts[label] for part, counts in found.items()}
            for label, name in enumerate(labelled.classes)}


def evenly(paths: Sequence[Path], most: int) -> list[Path]:
    """At most so many of some files, at even distances.

    Args:
        paths (Sequence[Path]): The files.
        most (int): How many are taken.
    """
    return [paths[index * len(paths) // most] for index in range(most)] if len(paths) > most else list(paths)
