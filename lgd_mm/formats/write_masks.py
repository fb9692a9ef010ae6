"""A set for segmentation as ``classes.txt``, ``images/{train,val}/`` and ``masks/{train,val}/``."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from faster_coco_eval.core import mask as coco_masks
from numpy.typing import NDArray
from PIL import Image

from lgd_mm.console.printable import shown
from lgd_mm.datasets.mask_file import IGNORED
from lgd_mm.errors import DataError
from lgd_mm.formats.labelled_set import SEGMENTATION, LabelledImage, LabelledObject, LabelledSet
from lgd_mm.formats.names import names_below
from lgd_mm.formats.run_lengths import drawn
from lgd_mm.io.files import write_text

#: What is around the objects.
BACKGROUND = 'background'


def write(found: LabelledSet, out: Path, place: Callable[[Path, Path], None], track: Callable[..., Iterator[Any]]
          ) -> None:
    """Write a set; of one for detection, the objects are drawn, small ones over large ones.

    Args:
        found (LabelledSet): For segmentation, or for detection with masks.
        out (Path): A folder, which is there.
        place (Callable[[Path, Path], None]): Brings an image to its place.
        track (Callable[..., Iterator[Any]]): Shows how far it is; as :func:`lgd_mm.console.progress.track`.

    Raises:
        UserError: If a mask cannot be read, no object has one, or a class cannot be written.
    """
    classes = found.classes
    if found.task != SEGMENTATION:
        if not any(item.mask for images in found.splits.values() for image in images for item in image.objects):
            raise DataError(f'{found.root} has boxes alone, and segmentation needs outlines: take a '
                            'config for detection')
        classes = classes if BACKGROUND in classes else (BACKGROUND, *classes)
        if len(classes) > IGNORED:
            raise DataError(f'{found.root} has {len(classes)} classes with {BACKGROUND}, and mmseg knows {IGNORED}: '
                            'leave some out, or learn detection')
        found.notes.say('masks are drawn from the outlines of the objects, small ones over large ones; what is in none '
                        f'is {BACKGROUND}, and groups are ignored (255)')
    if odd := [name for name in classes if len(name.splitlines()) != 1]:
        raise DataError(f'{found.root}: the class {shown(odd[0])} does not fit on a line of classes.txt: rename it')
    for split, images in found.splits.items():
        names = names_below([image.path for image in images])
        for image in track(images, f'images and masks of {split}', len(images)):
            target, mask = (out / folder / split / names[image.path] for folder in ('images', 'masks'))
            labels = _drawn(image, classes, found) if image.mask is None else _read(image, found)
            for path in (target, mask):
                path.parent.mkdir(parents=True, exist_ok=True)
            place(image.path, target)
            mask = mask.with_name(f'{mask.stem}.png')
            if mask.exists():
                raise DataError(f'{image.path} and another image differ in their ending alone, and a mask goes by the '
                                'name of its image: rename one')
            Image.fromarray(labels).save(mask)
    write_text(out / 'classes.txt', ''.join(f'{name}\n' for name in classes))


def _read(image: LabelledImage, found: LabelledSet) -> NDArray[np.uint8]:
    assert image.mask is not None and found.mask_labels is not None
    return found.mask_labels.read(image.mask)


def _drawn(image: LabelledImage, classes: tuple[str, ...], found: LabelledSet) -> NDArray[np.uint8]:
    """Labels of the pixels of an image, by its objects."""
    labels: NDArray[np.uint8] = np.full((image.height, image.width), classes.index(BACKGROUND), np.uint8)
    shift = len(classes) - len(found.classes)
    for item in sorted(image.objects, key=lambda item: -item.box[2] * item.box[3]):
        if item.mask:
            labels[_pixels(item, image)] = IGNORED if item.crowd else item.label + shift
        else:
            found.notes.add('objects have a box and no outline, and are not drawn', image.path.name)
    return labels


def _pixels(item: LabelledObject, image: LabelledImage) -> NDArray[np.bool_]:
    if isinstance(item.mask, list):
        return drawn(item.mask, [], image.width, image.height) > 0
    lengths = item.mask
    if isinstance(lengths['counts'], list):
        lengths = coco_masks.frPyObjects(lengths, image.height, image.width)
    return coco_masks.decode(lengths) > 0
