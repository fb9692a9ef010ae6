"""A set for detection as COCO's JSON: ``annotations/{train,val}.json`` and ``images/{train,val}/``."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

from lgd_mm.formats.labelled_set import LabelledImage, LabelledSet
from lgd_mm.formats.names import names_below
from lgd_mm.io.files import write_text
from lgd_mm.own_data.complete_annotations import complete_annotations


def write(found: LabelledSet, out: Path, place: Callable[[Path, Path], None], track: Callable[..., Iterator[Any]]
          ) -> None:
    """Write a set.

    Args:
        found (LabelledSet): For detection.
        out (Path): A folder, which is there.
        place (Callable[[Path, Path], None]): Brings an image to its place.
        track (Callable[..., Iterator[Any]]): Shows how far it is; as :func:`lgd_mm.console.progress.track`.
    """
    categories = [dict(id=number, name=name) for number, name in enumerate(found.classes, 1)]
    for split, images in found.splits.items():
        numbers = count(1)
        names = names_below([image.path for image in images])
        annotations: list[dict[str, Any]] = []
        for number, image in enumerate(track(images, f'images of {split}', len(images)), 1):
            target = out / 'images' / split / names[image.path]
            target.parent.mkdir(parents=True, exist_ok=True)
            place(image.path, target)
            annotations += _annotations(image, number, numbers)
        content = dict(
            images=[dict(id=number, file_name=str(names[image.path]), width=image.width, height=image.height)
                    for number, image in enumerate(images, 1)],
            annotations=annotations, categories=categories)
        complete_annotations(content)  # areas
        write_text(out / 'annotations' / f'{split}.json', json.dumps(content))


def _annotations(image: LabelledImage, number: int, numbers: Iterator[int]) -> Iterator[dict[str, Any]]:
    for item in image.objects:
        yield dict(id=next(numbers), image_id=number, category_id=item.label + 1, bbox=list(item.box),
                   segmentation=item.mask or [], iscrowd=int(item.crowd), area=item.area)
