"""What COCO's evaluation needs of each object, and files of one's own often lack."""

from typing import Any

from lgd_mm.datasets.check_annotations import is_number


def complete_annotations(content: dict[str, Any]) -> int:
    """Give objects without ``area`` that of their box, and an id above 0 to those without: the evaluation keeps which
    object a detection has found by its id, and 0 where it has found none.

    Args:
        content (dict[str, Any]): Of a file in COCO format. Changed in place.

    Returns:
        int: How many objects had no area.
    """
    objects = [item for item in content.get('annotations') or () if isinstance(item, dict) and 'id' in item]
    without = [item for item in objects if item.get('area') is None and _is_box(item.get('bbox'))]
    for item in without:
        item['area'] = item['bbox'][2] * item['bbox'][3]
    if any(type(item['id']) is int and item['id'] < 1 for item in objects):
        free = max(item['id'] for item in objects if type(item['id']) is int)
        for item in objects:
            if type(item['id']) is int and item['id'] < 1:
                free = max(free, 0) + 1
                item['id'] = free
    return len(without)


def _is_box(box: Any) -> bool:
    return isinstance(box, (list, tuple)) and len(box) == 4 and all(map(is_number, box))
