"""What mmdet and COCO's evaluation need of each object, and files of one's own often lack."""

from typing import Any

from faster_coco_eval.core import mask as run_lengths

from lgd_mm.own_data.check_annotations import FEWEST_COORDINATES, has_area, is_number, is_thin

#: Pixels of a mask's outline, which takes 60 bytes for each; that of a coast in a large image has some ten thousand.
LONGEST = 10**6


def complete_annotations(content: dict[str, Any]) -> int:
    """Give objects without ``area`` that of their mask, or else of their box, and an id above 0 to those without: the
    evaluation keeps which object a detection has found by its id, and 0 where it has found none. Polygons of fewer than
    three points are taken out of masks that have others: the evaluation would take them for boxes.

    Args:
        content (dict[str, Any]): Of a file in COCO format. Changed in place.

    Returns:
        int: How many objects had no area.
    """
    objects = [item for item in content.get('annotations') or () if isinstance(item, dict) and 'id' in item]
    for item in objects:
        mask: Any = item.get('segmentation')
        if _is_polygons(mask) and is_thin(mask) and has_area(mask):
            item['segmentation'] = [part for part in mask if len(part) >= FEWEST_COORDINATES]
    without = [item for item in objects if item.get('area') is None and _is_box(item.get('bbox'))]
    if without:
        sizes = {image.get('id'): (image.get('height'), image.get('width'))
                 for image in content.get('images') or () if isinstance(image, dict)}
        for item in without:
            item['area'] = (_mask_area(item.get('segmentation'), sizes.get(item.get('image_id')))
                            or item['bbox'][2] * item['bbox'][3])
    if any(type(item['id']) is int and item['id'] < 1 for item in objects):
        free = max(item['id'] for item in objects if type(item['id']) is int)
        for item in objects:
            if type(item['id']) is int and item['id'] < 1:
                free = max(free, 0) + 1
                item['id'] = free
    return len(without)


def _mask_area(mask: Any, size: Any) -> int | None:
    """Pixels of a mask; None if there is none, or what is no mask, which others tell."""
    if not size or not (has_area(mask) if _is_polygons(mask) else isinstance(mask, dict)):
        return None
    try:
        height, width = map(int, size)
        if isinstance(mask, list) and sum(map(_outline, mask)) > LONGEST:
            return None  # it takes memory by its length
        if isinstance(mask, dict) and not isinstance(mask['counts'], list):
            return int(run_lengths.area(mask))
        found = run_lengths.frPyObjects(mask, height, width)
        return int(run_lengths.area(run_lengths.merge(found) if isinstance(found, list) else found))
    except (ValueError, TypeError, KeyError, IndexError, RuntimeError):
        return None


def _outline(polygon: list[float]) -> float:
    """How many pixels the outline of a polygon goes through, about."""
    points = list(zip(polygon[::2], polygon[1::2]))
    return sum(max(abs(x - left), abs(y - top)) for (left, top), (x, y) in zip(points, points[1:] + points[:1]))


def _is_polygons(mask: Any) -> bool:
    return isinstance(mask, list) and all(isinstance(part, list) for part in mask)


def _is_box(box: Any) -> bool:
    return isinstance(box, (list, tuple)) and len(box) == 4 and all(map(is_number, box))
