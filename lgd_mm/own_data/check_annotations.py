"""Are the annotations of a file in COCO format what mmdet takes them for?"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from faster_coco_eval.mask_api_new_cpp import toUncompressedRLE

from lgd_mm.console.printable import shown
from lgd_mm.console.words import some
from lgd_mm.errors import DataError
from lgd_mm.io.images import PIXELS
from lgd_mm.io.named_file import name_fault

#: Mistakes that are told in full.
TOLD = 3
#: Of ids, coordinates and areas: the evaluation counts in 64 bits, and JavaScript's tools in 53.
LARGEST = 2**53
#: Coordinates of a polygon of three points; mmdet leaves out those with fewer.
FEWEST_COORDINATES = 6
#: What is expected of a box, to end a sentence.
BOX = 'a box is [x, y, width, height] in pixels'


def check_annotations(path: str | Path, content: Mapping[str, Any], categories: set[int]) -> list[str]:
    """Look at each image and each object.

    Args:
        path (str | Path): Of the file, for the sentences.
        content (Mapping[str, Any]): Its ``images`` and ``annotations``.
        categories (set[int]): Ids of its categories.

    Returns:
        list[str]: What mmdet does not train with: see :func:`left_out`.

    Raises:
        UserError: If something cannot be trained with, or a path leaves the data set's folder; names the file and ids.
    """
    mistakes = list(_of_images(content['images']))
    if not mistakes:
        images = {image['id']: image for image in content['images']}
        reasons: list[str] = []
        ids: set[Any] = set()
        for index, item in enumerate(content['annotations']):
            found = list(_of_object(index, item, images, categories, ids))
            reason = None if found else left_out(item, images[item['image_id']])
            mistakes += found
            reasons += [f'annotation {item["id"]} {reason}'] if reason else []
        if not mistakes:
            return reasons
    raise DataError(f'{path}: {some(mistakes, TOLD, "; ")}: correct or remove them')


def left_out(item: Mapping[str, Any], image: Mapping[str, Any]) -> str | None:
    """Why mmdet does not train with an object, which the evaluation counts nevertheless.

    Args:
        item (Mapping[str, Any]): The object, as :func:`check_annotations` lets it pass.
        image (Mapping[str, Any]): Its image.

    Returns:
        str, optional: Behind the object's name, it makes a sentence; None if mmdet takes it.
    """
    x, y, width, height = item['bbox']
    area = item.get('area')
    if item.get('ignore'):
        return 'is to be ignored'
    if width <= 0 or height <= 0:
        return 'has no area'
    if area is not None and area <= 0:
        return f'has the area {area:g}'
    if x >= image['width'] or y >= image['height'] or x + width <= 0 or y + height <= 0:
        return 'lies outside its image'
    if width < 1 or height < 1:
        return f'is smaller than a pixel ({width:.3g} x {height:.3g})'
    return None


def is_number(value: Any) -> bool:
    """Whether it is a finite number, of a size that coordinates and areas may have.

    Args:
        value (Any): Of a file.

    Returns:
        bool: False for ``True`` and ``False``, too.
    """
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -LARGEST < value < LARGEST


def _of_images(images: list[Any]) -> Iterator[str]:
    ids = set()
    for index, image in enumerate(images):
        if not isinstance(image, Mapping) or image.get('id') is None:
            yield f'images[{index}] has no "id"'
            continue
        if not is_id(image['id']):
            yield f'images[{index}] has the id {no_id(image["id"])}'
            continue
        name = image.get('file_name')
        if not isinstance(name, str) or not name:
            yield f'image {image["id"]} has no "file_name"'
        elif fault := name_fault(name):
            yield f'image {image["id"]} has the file_name {shown(name)}, which {fault}'
        sides: list[Any] = [image.get('width'), image.get('height')]
        if not all(map(is_number, sides)) or min(sides) < 1:
            yield f'image {image["id"]} has width and height {shown(sides)}'
        elif sides[0] * sides[1] > PIXELS:
            yield f'image {image["id"]} has width and height {sides}, and {PIXELS:,} pixels are the most that are read'
        if image['id'] in ids:
            yield f'image {image["id"]} is there twice'
        ids.add(image['id'])


def _of_object(index: int, item: Any, images: Mapping[Any, Any], categories: set[int], ids: set[Any]) -> Iterator[str]:
    if not isinstance(item, Mapping):
        yield f'annotations[{index}] is no object'
        return
    if item.get('id') is None:
        yield f'annotations[{index}] has no "id": number them from 1'
        return
    if not is_id(item['id']):
        yield f'annotations[{index}] has the id {no_id(item["id"])}'
        return
    name = f'annotation {item["id"]}'
    if item['id'] in ids:
        yield f'{name} is there twice: number them from 1'
    ids.add(item['id'])
    image, category = item.get('image_id'), item.get('category_id')
    if not is_id(image):
        yield f'{name} has the image_id {no_id(image)}'
        return
    if image not in images:
        yield f'{name} is of image {image!r}, which is not there'
        return
    if not is_id(category):
        yield f'{name} has the category_id {no_id(category)}'
    elif category not in categories:
        yield f'{name} is of category {category!r}, which is not there'
    box = item.get('bbox')
    if not isinstance(box, (list, tuple)) or len(box) != 4 or not all(map(is_number, box)):
        yield f'{name} has the bbox {shown(box)}, not four finite numbers: {BOX}'
        return
    if item.get('area') is not None and not is_number(item['area']):
        yield f'{name} has the area {shown(item["area"])}, not a finite number: without one, width x height is taken'
    for key in ('iscrowd', 'ignore'):
        if item.get(key, 0) not in (0, 1) or isinstance(item.get(key), float):
            yield f'{name} has {key} {shown(item[key])}, not 0 or 1'
    yield from _of_mask(name, item.get('segmentation'), images[image]['width'], images[image]['height'])


def is_id(value: Any) -> bool:
    """Whether it is a whole number that every tool can count with.

    Args:
        value (Any): Of a file.

    Returns:
        bool: False for "1", too, which some tools take for 1, and others for nothing they know, and for 1.0, which
            :func:`lgd_mm.own_data.whole_ids.whole_ids` turns into 1.
    """
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < LARGEST


def no_id(value: Any) -> str:
    """How an id is told that is none.

    Args:
        value (Any): Of a file.

    Returns:
        str: To end a sentence.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return f'{shown(value)}, beyond 2**53'
    return f'{shown(value)}, not a whole number, such as 1 (not "1")'


def _of_mask(name: str, mask: Any, width: int, height: int) -> Iterator[str]:
    """Polygons, or run lengths of the image's size."""
    if isinstance(mask, Mapping):
        size = mask.get('size')
        size = list(size) if isinstance(size, (list, tuple)) else size
        if size != [height, width]:
            yield f'{name} has a mask of size {shown(size)}, and its image is {[height, width]}'
        counts = mask.get('counts')
        if isinstance(counts, list):
            if not all(is_id(count) and count >= 0 for count in counts) or sum(counts) != width * height:
                yield f'{name} has run lengths that do not cover its image'
        elif not isinstance(counts, str) or not counts:
            yield f'{name} has a mask without counts'
        elif size == [height, width] and not _is_rle(size, counts):
            yield f'{name} has a mask whose counts cannot be decoded'
    elif mask:
        polygons = mask if isinstance(mask, list) else [mask]
        if not all(isinstance(part, list) and len(part) % 2 == 0 and all(map(is_number, part)) for part in polygons):
            yield f'{name} has a polygon that is not pairs of numbers'


def is_thin(mask: Any) -> bool:
    """Whether some part of a mask is a polygon of fewer than three points, as annotation tools write them for clicks.

    Args:
        mask (Any): ``segmentation`` of an object, as :func:`check_annotations` lets it pass.
    """
    return isinstance(mask, list) and any(len(part) < FEWEST_COORDINATES for part in mask)


def has_area(mask: Any) -> bool:
    """Whether some part of a mask is more than such a polygon.

    Args:
        mask (Any): ``segmentation`` of an object, as :func:`check_annotations` lets it pass.
    """
    return bool(mask) and (not isinstance(mask, list) or any(len(part) >= FEWEST_COORDINATES for part in mask))


def _is_rle(size: list[int], counts: str) -> bool:
    """Whether compressed run lengths are whole, without the pixels that they stand for."""
    height, width = map(int, size)
    try:
        [found] = toUncompressedRLE([dict(size=[height, width], counts=counts)])
    except (ValueError, RuntimeError, UnicodeError):
        return False
    return bool(sum(found['counts']) == height * width)
