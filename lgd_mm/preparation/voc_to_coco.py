"""From Pascal VOC's layout to a detection data set in COCO's format."""

import filecmp
import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain, write_text
from lgd_mm.io.placing import link_or_copy
from lgd_mm.preparation.links import refuse_links
from lgd_mm.preparation.voc import SPLITS, VOCImage, find_voc, read_split


def voc_to_coco(root: str | Path, out: str | Path) -> dict[str, int]:
    """Write ``annotations/{train,val}.json`` and ``{train,val}/`` with the images.

    Everything is read and checked before anything is written; the annotations come last. Stopped, it goes on.

    Args:
        root (str | Path): VOC's folder.
        out (str | Path): Folder to write into.

    Returns:
        dict[str, int]: Number of images of each split.

    Raises:
        UserError: If something in ``root`` is not right, or another file lies in the place of one to write.
    """
    folder, out = find_voc(Path(root)), Path(out)
    splits = {split: read_split(folder, split) for split in SPLITS}
    names = sorted({item.name for found in splits.values() for image in found for item in image.objects})
    if not names:
        raise UserError(f'{folder / "Annotations"} describes no object: there is nothing to learn')
    texts = {out / 'annotations' / f'{split}.json': json.dumps(coco_content(found, names))
             for split, found in splits.items()}
    refuse_links(out, *texts, *(out / split for split in splits))
    try:
        for path, text in texts.items():
            if path.exists() and read_plain(path) != text.encode():
                raise UserError(f'{path} is there with other content: give another OUT, nothing is overwritten')
        for split, found in splits.items():
            (out / split).mkdir(parents=True, exist_ok=True)
            for image in found:
                _place(image.path, out / split / image.path.name)
        (out / 'annotations').mkdir(exist_ok=True)
        for path, text in texts.items():
            write_text(path, text)
    except OSError as error:
        raise UserError(f'{out} cannot be written to ({error.strerror}): free disk space or give another '
                        'OUT') from error
    return {split: len(found) for split, found in splits.items()}


def coco_content(found: Sequence[VOCImage], names: Sequence[str]) -> dict[str, Any]:
    """What COCO's format says of images.

    VOC counts pixels from 1 and a box's last pixel is in it; COCO measures from the image's corner. So VOC's
    (1, 1, 1, 1) is the box of one pixel, [0, 0, 1, 1] as x, y, width, height.

    Args:
        found (Sequence[VOCImage]): Of one split.
        names (Sequence[str]): All categories; their ids are 1, 2, ... in this order.

    Returns:
        dict: ``images``, ``annotations``, ``categories``. Difficult objects have ``iscrowd=1``: mmdet and COCO's
            evaluation then count them neither as objects nor as background.
    """
    category = {name: index for index, name in enumerate(names, start=1)}
    numbers = count(1)
    images, annotations = [], []
    for image_id, image in enumerate(found, start=1):
        images.append(dict(id=image_id, file_name=image.path.name, width=image.width, height=image.height))
        for item in image.objects:
            xmin, ymin, xmax, ymax = item.box
            width, height = xmax - xmin + 1, ymax - ymin + 1
            annotations.append(dict(
                id=next(numbers), image_id=image_id, category_id=category[item.name],
                bbox=[xmin - 1, ymin - 1, width, height], area=width * height, iscrowd=int(item.difficult)))
    return dict(images=images, annotations=annotations,
                categories=[dict(id=index, name=name) for name, index in category.items()])


def _place(source: Path, target: Path) -> None:
    """Hard-link an image, or copy it where that is impossible."""
    if target.exists():
        if not filecmp.cmp(source, target, shallow=False):
            raise UserError(f'{target} is another image than {source}: give another OUT, nothing is overwritten')
        return
    link_or_copy(source, target)
