"""Are the objects of a file in COCO format, taken together, what they are meant to be?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lgd_mm.console.printable import shown
from lgd_mm.console.words import some
from lgd_mm.errors import DataError
from lgd_mm.own_data.check_annotations import BOX, left_out

#: Pixels that a box may reach beyond its image by rounding.
ROUNDING = 0.5
#: Fewer objects than these do not tell that a file has corners.
SEVERAL = 3


def check_objects(path: str | Path, content: Mapping[str, Any], purpose: str) -> str | None:
    """See that some object counts, and that boxes are no corners.

    Args:
        path (str | Path): Of the file, for the sentences.
        content (Mapping[str, Any]): Its ``images`` and ``annotations``, as :func:`check_annotations` lets them pass.
        purpose (str): ``'train'`` or ``'test'``.

    Returns:
        str, optional: What is odd about the boxes, and may be meant.

    Raises:
        UserError: If no object is left to train or test with, or most of several boxes reach beyond their images, as
            corners do.
    """
    images = {image['id']: image for image in content['images']}
    objects = content['annotations']
    reasons = [(item['id'], left_out(item, images[item['image_id']]) or (item.get('iscrowd') and 'is a crowd'))
               for item in objects]
    if all(reason for _, reason in reasons):
        told = some([f'annotation {number} {reason}' for number, reason in reasons], 3, '; ')
        raise DataError(f'{path}: no object is left to {purpose} with: {told or "the file has no annotation"} '
                        f'({BOX}, "area" is above 0 or left out, "iscrowd" is 0 but for groups)')
    beyond = [item for item in objects if _reaches_beyond(item['bbox'], images[item['image_id']])]
    if not beyond:
        return None
    odd = (f'{path}: {len(beyond)} of {len(objects)} boxes reach beyond their image: annotation {beyond[0]["id"]} has '
           f'the bbox {shown(list(beyond[0]["bbox"]))}, and its image is {_size(images[beyond[0]["image_id"]])}')
    if len(objects) >= SEVERAL and 2 * len(beyond) > len(objects):
        raise DataError(f'{odd}: {BOX}, no corners [x1, y1, x2, y2]; write them so, or clip them to their image')
    return odd


def _reaches_beyond(box: Any, image: Mapping[str, Any]) -> bool:
    x, y, width, height = box
    return bool(x < -ROUNDING or y < -ROUNDING or x + width > image['width'] + ROUNDING
                or y + height > image['height'] + ROUNDING)


def _size(image: Mapping[str, Any]) -> str:
    return f'{image["width"]} x {image["height"]}'
