"""What every format is read into."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lgd_mm.formats.mask_labels import MaskLabels
from lgd_mm.formats.notes import Notes

#: What a set has labels for.
DETECTION, SEGMENTATION, CLASSIFICATION = 'detection', 'segmentation', 'classification'


@dataclass(frozen=True, slots=True)
class LabelledObject:
    """One object of an image.

    Attributes:
        label (int): Index of its class.
        box (tuple[float, float, float, float]): x, y, width, height in pixels, within its image.
        mask (Any): Its polygons, each ``[x1, y1, x2, y2, ...]`` in pixels, or run lengths as in COCO; None if it has a
            box alone.
        area (float, optional): In pixels, where the format says it.
        crowd (bool): Whether it stands for a group, or counts neither for nor against a detector.
    """

    label: int
    box: tuple[float, float, float, float]
    mask: Any = None
    area: float | None = None
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class LabelledImage:
    """An image and what is known of it.

    Attributes:
        path (Path): The file.
        width (int): In pixels, as the format says, or else as it is read, turned by its EXIF; 0 if nobody asked.
        height (int): Likewise.
        objects (tuple[LabelledObject, ...]): Of a set for detection; may be empty.
        mask (Path, optional): The file with a class in each pixel, of a set for segmentation.
        label (int, optional): Index of its class, of a set for classification.
    """

    path: Path
    width: int = 0
    height: int = 0
    objects: tuple[LabelledObject, ...] = ()
    mask: Path | None = None
    label: int | None = None


@dataclass(frozen=True)
class LabelledSet:
    """A data set as it was read.

    Attributes:
        root (Path): Its folder.
        format (str): One of :data:`lgd_mm.formats.recognise.FORMATS`.
        task (str): :data:`DETECTION`, :data:`SEGMENTATION` or :data:`CLASSIFICATION`.
        classes (tuple[str, ...]): Names in the order of the labels.
        splits (Mapping[str, Sequence[LabelledImage]]): Images of ``'train'``, ``'val'`` and perhaps ``'test'``, in the
            order of their paths.
        notes (Notes): What was doubtful, counted.
        mask_labels (MaskLabels, optional): What the values of the masks mean, of a set for segmentation.
    """

    root: Path
    format: str
    task: str
    classes: tuple[str, ...]
    splits: Mapping[str, Sequence[LabelledImage]]
    notes: Notes = field(default_factory=Notes)
    mask_labels: MaskLabels | None = None

    @property
    def objects(self) -> int:
        """How many there are in all splits."""
        return sum(len(image.objects) for images in self.splits.values() for image in images)

    @property
    def has_masks(self) -> bool:
        """Whether there are objects, and every one has a mask."""
        return bool(self.objects) and all(item.mask for images in self.splits.values() for image in images
                                          for item in image.objects)

    def __str__(self) -> str:
        counts = ', '.join(f'{len(images):,} {split}' for split, images in self.splits.items())
        what = f', {self.objects:,} objects' if self.task == DETECTION else ''
        return f'{self.root}: {self.format}, images: {counts}{what}, classes: {len(self.classes)}'
