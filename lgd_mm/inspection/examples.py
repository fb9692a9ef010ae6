"""Images of a set with their labels drawn, as small files for a page."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from faster_coco_eval.core import mask as coco_masks
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lgd_mm.errors import UserError
from lgd_mm.formats.labelled_set import LabelledImage, LabelledObject, LabelledSet
from lgd_mm.inspection.facts import Inspection
from lgd_mm.io.images import open_image
from lgd_mm.own_data.palette import class_colours
from lgd_mm.report.overlays import SMALLEST, Instances, draw_instances, draw_names, draw_segments
from lgd_mm.report.tiles import tile, tile_size

#: Images that are drawn; a third of them are not to train with.
DRAWN = 12
#: Objects of an image that are drawn.
OBJECTS = 60
#: Images larger than this, in pixels of a side, are halved until they are not, before anything is drawn.
SIDE = 2048


class Example(NamedTuple):
    """One image.

    Attributes:
        name (str): Of its file, and of the part it is in.
        drawn (bytes): A WebP file.
    """

    name: str
    drawn: bytes


def draw_examples(found: Inspection) -> list[Example]:
    """Draw some images of each part, at even distances; those that have labels before others.

    Args:
        found (Inspection): The set.

    Returns:
        list[Example]: At most :data:`DRAWN` and a few; images that cannot be drawn are left out.
    """
    examples = []
    for part, images in found.parts.items():
        share = DRAWN if len(found.parts) == 1 else DRAWN - DRAWN // 3 if part == 'train' else DRAWN // 3
        labelled = [image for image in images if image.objects or image.mask or image.label is not None]
        pool = [image for image in labelled or images if image.path in found.sizes]
        count = min(share, len(pool))
        for image in (pool[(2 * index + 1) * len(pool) // (2 * count)] for index in range(count)):
            try:
                name = found.named(image.path)
                told = name if part in Path(name).parts or not part else f'{part}: {name}'
                examples.append(Example(told, tile(_drawn(image, found.labelled))))
            except (OSError, UserError, ValueError):  # it is among the problems
                continue
    return examples


def _drawn(image: LabelledImage, labelled: LabelledSet | None) -> Image.Image:
    pixels, times = _pixels(image)
    size = tile_size(pixels)
    if labelled is None:
        return Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
    colours = np.array(class_colours(len(labelled.classes)), np.uint8)
    if image.mask is not None and labelled.mask_labels is not None:
        labels = labelled.mask_labels.read(image.mask)
        return draw_segments(pixels, labels[::times, ::times][:pixels.shape[0], :pixels.shape[1]], labelled.classes,
                             colours, size)
    if image.label is not None:
        times_larger = max(1., SMALLEST / max(size))  # below, letters are drawn for an enlarged image
        larger = round(size[0] * times_larger), round(size[1] * times_larger)
        small = np.asarray(Image.fromarray(pixels).resize(larger, Image.Resampling.LANCZOS))
        return draw_names(small, [labelled.classes[image.label]], colours[image.label])
    found = _instances(image, (pixels.shape[0], pixels.shape[1]), 1 / times)
    return draw_instances(pixels, found, labelled.classes, colours, size)


def _pixels(image: LabelledImage) -> tuple[NDArray[np.uint8], int]:
    """An image as it is read, turned by its EXIF, and how many times smaller than it is."""
    with open_image(image.path) as opened:
        times = 1
        while max(opened.size) // times > SIDE:
            times *= 2
        upright = ImageOps.exif_transpose(opened.convert('RGB') if opened.mode != 'RGB' else opened)
        return np.asarray(upright.reduce(times) if times > 1 else upright), times


def _instances(image: LabelledImage, size: tuple[int, int], scale: float) -> Instances:
    """The largest objects, in pixels of a smaller copy."""
    objects = sorted(image.objects, key=lambda item: -item.box[2] * item.box[3])[:OBJECTS]
    boxes = np.array([(x, y, x + width, y + height) for x, y, width, height in (item.box for item in objects)])
    masks = np.stack([_mask(item, size, scale) for item in objects]) if any(item.mask for item in objects) else None
    return Instances(boxes.reshape(-1, 4) * scale, np.array([item.label for item in objects], int), masks, None)


def _mask(item: LabelledObject, size: tuple[int, int], scale: float) -> NDArray[np.bool_]:
    """Pixels of an object (H, W); none of one that has a box alone."""
    if not item.mask:
        return np.zeros(size, bool)
    if isinstance(item.mask, list):
        polygons: Sequence[Sequence[float]] = [[value * scale for value in part] for part in item.mask]
        runs = coco_masks.merge(coco_masks.frPyObjects([*polygons], *size))
        return np.asarray(coco_masks.decode(runs), bool)
    runs = item.mask if isinstance(item.mask['counts'], (str, bytes)) else coco_masks.frPyObjects(
        item.mask, *item.mask['size'])
    whole = Image.fromarray(np.asarray(coco_masks.decode(runs), np.uint8))
    return np.asarray(whole.resize((size[1], size[0]), Image.Resampling.NEAREST)) > 0
