"""Ids that pandas and MATLAB have written as 1.0, which some tools take for 1 and others for nothing they know."""

from collections.abc import Iterator
from typing import Any

#: What counts or refers, by the list that it is in; the last two of an image are LVIS'.
KEYS = dict(
    images=('id', 'neg_category_ids', 'not_exhaustive_category_ids'), categories=('id',),
    annotations=('id', 'image_id', 'category_id', 'iscrowd', 'ignore'))


def whole_ids(content: Any) -> None:
    """Let every id in a file be an integer, if it is a whole number.

    Args:
        content (Any): Of a file in COCO or LVIS format; what is none is left to whoever looks at it. Changed in place.
    """
    for part, keys in KEYS.items():
        for item in _items(content, part):
            for key in keys:
                value = item.get(key)
                if isinstance(value, float):
                    item[key] = _whole(value)
                elif isinstance(value, list):
                    item[key] = [_whole(each) for each in value]


def _items(content: Any, part: str) -> Iterator[dict[str, Any]]:
    every = content.get(part) if isinstance(content, dict) else None
    yield from (item for item in every if isinstance(item, dict)) if isinstance(every, list) else ()


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value
