"""Are the annotations of a file in COCO format what mmdet takes them for?"""

import math
import os
from collections.abc import Iterator, Mapping
from numbers import Real
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError

#: Mistakes that are told in full.
TOLD = 3


def check_annotations(path: str | Path, content: Mapping[str, Any], categories: set[int]) -> list[str]:
    """Look at each picture and each object.

    Args:
        path (str | Path): Of the file, for the sentences.
        content (Mapping[str, Any]): Its ``images`` and ``annotations``.
        categories (set[int]): Ids of its categories.

    Returns:
        list[str]: What mmdet leaves out by itself: objects without area, or outside their picture.

    Raises:
        UserError: If something cannot be trained with, or a path leaves the data set's folder; names the file and ids.
    """
    mistakes = list(_of_images(content['images']))
    if not mistakes:
        images = {image['id']: image for image in content['images']}
        left_out: list[str] = []
        for index, item in enumerate(content['annotations']):
            mistakes += _of_object(index, item, images, categories, left_out)
        if not mistakes:
            return left_out
    more = f' and {len(mistakes) - TOLD} more' if len(mistakes) > TOLD else ''
    raise UserError(f'{path}: {"; ".join(mistakes[:TOLD])}{more}: correct or remove them')


def _of_images(images: list[Any]) -> Iterator[str]:
    ids = set()
    for index, image in enumerate(images):
        if not isinstance(image, Mapping) or not isinstance(image.get('id'), (int, str)):
            yield f'images[{index}] has no "id"'
            continue
        name = image.get('file_name')
        if not isinstance(name, str) or not name:
            yield f'image {image["id"]} has no "file_name"'
        elif os.path.isabs(name) or '..' in Path(name).parts or '\0' in name or '://' in name:
            yield f'image {image["id"]} has a file_name outside the data set ({name!r})'
        sides: list[Any] = [image.get('width'), image.get('height')]
        if not all(map(_is_number, sides)) or min(sides) < 1:
            yield f'image {image["id"]} has width and height {sides}'
        if image['id'] in ids:
            yield f'image {image["id"]} is there twice'
        ids.add(image['id'])


def _of_object(index: int, item: Any, images: Mapping[Any, Any], categories: set[int], left_out: list[str]
               ) -> Iterator[str]:
    if not isinstance(item, Mapping):
        yield f'annotations[{index}] is no object'
        return
    name = f'annotation {item.get("id", f"number {index}")}'
    image, category = item.get('image_id'), item.get('category_id')
    if not isinstance(image, (int, str)) or image not in images:
        yield f'{name} is of image {image!r}, which is not there'
        return
    if not isinstance(category, int) or category not in categories:
        yield f'{name} is of category {category!r}, which is not there'
    box = item.get('bbox')
    if not isinstance(box, (list, tuple)) or len(box) != 4 or not all(map(_is_number, box)):
        yield f'{name} has the bbox {box!r}, not four finite numbers'
        return
    width, height = images[image]['width'], images[image]['height']
    if box[2] <= 0 or box[3] <= 0:
        left_out.append(f'{name} has no area')
    elif box[0] >= width or box[1] >= height or box[0] + box[2] <= 0 or box[1] + box[3] <= 0:
        left_out.append(f'{name} lies outside its picture')
    yield from _of_mask(name, item.get('segmentation'), width, height)


def _of_mask(name: str, mask: Any, width: int, height: int) -> Iterator[str]:
    """Polygons, or run lengths of the picture's size."""
    if isinstance(mask, Mapping):
        if list(mask.get('size') or ()) != [height, width]:
            yield f'{name} has a mask of size {mask.get("size")}, and its picture is {[height, width]}'
        counts = mask.get('counts')
        if isinstance(counts, list):
            if not all(isinstance(count, int) and count >= 0 for count in counts) or sum(counts) != width * height:
                yield f'{name} has run lengths that do not cover its picture'
        elif not isinstance(counts, str) or not counts:
            yield f'{name} has a mask without counts'
    elif mask:
        polygons = mask if isinstance(mask, list) else [mask]
        if not all(isinstance(part, list) and len(part) >= 6 and len(part) % 2 == 0 and all(map(_is_number, part))
                   for part in polygons):
            yield f'{name} has a polygon that is not three or more points'


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
