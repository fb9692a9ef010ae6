"""A folder of images and COCO-format annotations."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lgd_mm.console.printable import shown
from lgd_mm.console.words import some
from lgd_mm.errors import DataError
from lgd_mm.io.named_file import name_fault
from lgd_mm.own_data.check_annotations import has_area
from lgd_mm.own_data.coco_categories import read_categories
from lgd_mm.own_data.coco_set import check_coco, read_coco
from lgd_mm.own_data.folder import OwnFolder

#: Annotation files of other layouts, below the folder.
ELSEWHERE = ('*/_annotations.coco.json', '*.json', 'annotations/*.json')
#: Where the images of a split may lie below the folder.
IMAGES = ('{split}', '{split}2017', 'images/{split}', 'images/{split}2017', 'images', 'JPEGImages', '')


@dataclass(frozen=True)
class DetectionFolder(OwnFolder):
    """With annotations in COCO format.

    Attributes:
        annotations (dict[str, str]): Files of ``'train'`` and ``'val'``, whole paths.
        masks (bool): Whether every object has a mask.
    """

    annotations: dict[str, str]
    masks: bool


def read_detection(root: str) -> DetectionFolder:
    """Look at ``annotations/{train,val}.json`` (or ``instances_{train,val}*.json``) and at where the images lie.

    Args:
        root (str): The folder.

    Returns:
        DetectionFolder: Both files have the same categories, in the same order.

    Raises:
        UserError: If a file, the images or their names are missing, or the two files differ.
    """
    annotations = {split: _annotations(Path(root), split) for split in ('train', 'val')}
    train, val = (read_categories(path) for path in annotations.values())
    labels = [[(category['id'], category['name']) for category in categories] for categories in (train, val)]
    if labels[0] != labels[1]:  # the file's order numbers the labels
        alone = set(labels[0]) ^ set(labels[1])
        odd = next((item for item in labels[0] + labels[1] if item in alone), None)
        what = f'{shown(odd[1])} (id {odd[0]})' if odd else 'the order'
        raise DataError(f'{annotations["train"]} and {annotations["val"]} must have the same categories in the same '
                        f'order, and differ in {what}')
    images, counts, masks = {}, {}, True
    for split, path in annotations.items():
        content = read_coco(path)
        images[split] = _images(Path(root), split, path, content['images'][0])
        check_coco(path, dict(labels[0]), Path(root, images[split]), 'train' if split == 'train' else 'test', content)
        counts[split] = len(content['images'])
        outlines = [item.get('segmentation') for item in content['annotations']]
        masks = masks and all(outlines) and any(map(has_area, outlines))
    return DetectionFolder(root, tuple(name for _, name in labels[0]), images, counts, annotations, masks)


def _annotations(root: Path, split: str) -> str:
    folder = root / 'annotations'
    plain = folder / f'{split}.json'
    found = [plain] if plain.is_file() else sorted(folder.glob(f'instances_{split}*.json'))
    if len(found) == 1:
        return str(found[0].resolve())
    others = [str(path.relative_to(root)) for pattern in ELSEWHERE for path in sorted(root.glob(pattern))]
    there = f' (there are {some(others)})' if others else ''
    if not folder.is_dir():
        raise DataError(f'--data {root} has no folder annotations{there}: copy the files of COCO format to annotations/'
                        'train.json and annotations/val.json, and have the images in folders train and val (see '
                        'docs/own_data.md; tools/voc_to_coco.py converts Pascal VOC)')
    raise DataError(f'{folder} has no {split}.json and {len(found)} files instances_{split}*.json{there}: it needs one')


def _images(root: Path, split: str, annotations: str, image: Any) -> str:
    first = image.get('file_name') if isinstance(image, dict) else None
    if not isinstance(first, str):
        raise DataError(f'{annotations}: images[0] has no "file_name": correct or remove it')
    if fault := name_fault(first):
        raise DataError(f'{annotations}: images[0] has the file_name {shown(first)}, which {fault}: correct or '
                        'remove it')
    for pattern in IMAGES:
        folder = pattern.format(split=split)
        if (root / folder / first).is_file():
            return os.path.join(folder, '')
    looked = ', '.join(pattern.format(split=split) or '.' for pattern in IMAGES)
    raise DataError(f'{first}, the first image of {annotations}, lies in none of the folders {looked} of {root}')
