"""Annotation files of the world in the formats that readers of COCO and ADE20K know."""

from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as run_length

from lgd_mm.datasets.shapes.scene import Scene, SceneObject


def coco_instances(scenes: Iterable[tuple[str, Scene]], classes: Sequence[str],
                   name_of: Callable[[SceneObject], str] = attrgetter('name')) -> dict[str, Any]:
    """Boxes and masks in the format of COCO's ``instances_*.json``.

    Args:
        scenes (Iterable[tuple[str, Scene]]): File names and what the images show.
        classes (Sequence[str]): Names of the categories in the order of their labels.
        name_of (Callable): The category of an object. Defaults to its name without the colour.

    Returns:
        dict: ``images``, ``annotations`` (with compressed run-length masks, for a ring has a hole) and ``categories``.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for name, scene in scenes:
        height, width = scene.image.shape[:2]
        images.append(dict(id=len(images) + 1, file_name=name, height=height, width=width))
        for item in scene.objects:
            encoded = run_length.encode(np.asfortranarray(item.mask, np.uint8))
            annotations.append(dict(
                id=len(annotations) + 1,
                image_id=len(images),
                category_id=classes.index(name_of(item)) + 1,
                bbox=list(item.box),
                area=int(item.mask.sum()),
                iscrowd=0,
                segmentation=dict(size=list(encoded['size']), counts=encoded['counts'].decode('ascii'))))
    categories = [dict(id=number, name=name, supercategory='shape') for number, name in enumerate(classes, 1)]
    return dict(images=images, annotations=annotations, categories=categories)


def coco_captions(captions: Iterable[tuple[str, list[str]]]) -> dict[str, Any]:
    """Captions in the format of COCO's ``captions_*.json``.

    Args:
        captions (Iterable[tuple[str, list[str]]]): File names and the captions of each image.

    Returns:
        dict: ``images`` and ``annotations``.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for name, texts in captions:
        images.append(dict(id=len(images) + 1, file_name=name))
        for text in texts:
            annotations.append(dict(id=len(annotations) + 1, image_id=len(images), caption=text))
    return dict(images=images, annotations=annotations)


def ade_labels(scene: Scene, names: Sequence[str]) -> NDArray[Any]:
    """Labels in the format of ADE20K's ``annotations/*.png``: label k is class k - 1, and 0 is unlabelled: the
    distractors where colours are asked for, for they have some. Class 0 is the background, or ``reduce_zero_label``
    would leave it out of the loss and of the metric; by name, distractors are part of it.

    Args:
        scene (Scene): What the image shows.
        names (Sequence[str]): Names of the world's categories or ``COLOURS``: the further classes in their order.

    Returns:
        np.ndarray: Labels (H, W), uint8, 0 to ``1 + len(names)``.
    """
    labels = np.ones(scene.image.shape[:2], np.uint8)
    for item in scene.objects:
        labels[item.mask] = names.index(item.name if item.name in names else item.colour) + 2
    for item in scene.distractors:
        if item.colour in names:
            labels[item.mask] = 0
    return labels
