"""Two small tasks from instances of COCO: crops of objects by super-category, and that of each position of an image."""

import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pycocotools.coco import COCO
from torch import Tensor

#: Side of a crop and of a whole image, in pixels: those of the generated world, and of usual tests.
CROP, WHOLE = 64, 224
#: The shorter side that a box has at least, in pixels of the image.
SMALLEST = 24
#: How much longer the window of a crop is than the longer side of its box.
MARGIN = 1.2
#: Pixels between two positions.
STRIDE = 8
#: Label of positions that do not count: those of crowds.
IGNORED = 255


class Objects(NamedTuple):
    """M images of one object each.

    Attributes:
        images (Tensor): RGB (M, 3, CROP, CROP), uint8.
        labels (Tensor): Classes (M, ), int64.
        sources (Tensor): From which of N images each was cut (M, ), int64.
    """

    images: Tensor
    labels: Tensor
    sources: Tensor


class Split(NamedTuple):
    """N whole images of a split, and the objects cut from them.

    Attributes:
        objects (Objects): By super-category.
        whole (Tensor): RGB (N, 3, WHOLE, WHOLE), uint8.
        positions (Tensor): 0 for the background, 1 + super-category, or IGNORED (N, H, W), int64.
    """

    objects: Objects
    whole: Tensor
    positions: Tensor


def window(box: list[float], width: int, height: int) -> tuple[float, float, float, float]:
    """A square around a box (x, y, w, h), moved into the image, and cut where it is larger than the image.

    Returns:
        tuple[float, float, float, float]: Left, top, right, bottom.
    """
    side, ends = MARGIN * max(box[2:]), []
    for start, length, whole in ((box[0], box[2], width), (box[1], box[3], height)):
        extent = min(side, whole)
        first = min(max(start + (length - extent) / 2, 0), whole - extent)
        ends.append((first, first + extent))
    return ends[0][0], ends[1][0], ends[0][1], ends[1][1]


def position_labels(instances: list[tuple[int, NDArray[np.uint8]]], height: int, width: int) -> NDArray[np.int64]:
    """The label at the centre of each position, of instances (label, mask); the smaller is before the larger one."""
    labels = np.zeros((height, width), np.int64)
    for label, mask in sorted(instances, key=lambda instance: -int(instance[1].sum())):
        labels[mask.astype(bool)] = label
    cells = (np.arange(WHOLE // STRIDE) + 0.5) * STRIDE / WHOLE
    return labels[np.ix_((cells * height).astype(int), (cells * width).astype(int))]


def read_split(root: Path, split: str, folder: Path) -> tuple[Split, list[str]]:
    """Read a split, and keep its crops as class folders: those can be looked at, and be evaluated by any tool.

    Args:
        root (Path): With ``annotations/instances_<split>2017.json`` and ``<split>2017/``.
        split (str): ``'train'`` or ``'val'``.
        folder (Path): Is given ``<split>/<super-category>/<annotation>.png``, and ``<split>.csv`` with their images.

    Returns:
        tuple[Split, list[str]]: The split, and the names of the super-categories.
    """
    coco = COCO(root / f'annotations/instances_{split}2017.json')
    names = sorted({category['supercategory'] for category in coco.cats.values()})
    label_of = {number: names.index(category['supercategory']) for number, category in coco.cats.items()}
    crops, labels, sources, whole, positions, rows = [], [], [], [], [], []
    for index, (number, entry) in enumerate(sorted(coco.imgs.items())):
        image = Image.open(root / f'{split}2017' / entry['file_name']).convert('RGB')
        instances = []
        for found in coco.imgToAnns[number]:
            label = label_of[found['category_id']]
            instances.append((IGNORED if found['iscrowd'] else 1 + label, coco.annToMask(found)))
            if found['iscrowd'] or min(found['bbox'][2:]) < SMALLEST:
                continue
            crop = image.resize((CROP, CROP), Image.Resampling.BICUBIC, window(found['bbox'], *image.size))
            path = folder / split / names[label] / f'{found["id"]}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            crop.save(path)
            rows.append((path.relative_to(folder), entry['file_name']))
            crops.append(_tensor(crop))
            labels.append(label)
            sources.append(index)
        whole.append(_tensor(image.resize((WHOLE, WHOLE), Image.Resampling.BICUBIC)))
        positions.append(torch.from_numpy(position_labels(instances, image.height, image.width)))
    with (folder / f'{split}.csv').open('w', newline='') as file:
        csv.writer(file).writerows([('crop', 'image'), *rows])
    objects = Objects(torch.stack(crops), torch.tensor(labels), torch.tensor(sources))
    return Split(objects, torch.stack(whole), torch.stack(positions)), names


def read_world(root: Path, names: str, folder: str) -> Objects:
    """Read images of the generated world: ``<folder>/*`` by the list ``meta/<names>.txt`` in its root."""
    lines = [line.split() for line in (root / f'meta/{names}.txt').read_text().splitlines()]
    images = [_tensor(Image.open(root / folder / name).convert('RGB')) for name, _ in lines]
    return Objects(torch.stack(images), torch.tensor([int(label) for _, label in lines]), torch.arange(len(lines)))


def _tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)
