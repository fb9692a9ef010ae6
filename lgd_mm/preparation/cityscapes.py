"""Cityscapes numbers 34 labels; the configs train 19 of them, in masks made here from the others."""

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from lgd_mm.errors import UserError
from lgd_mm.io.files import unfinished
from lgd_mm.io.images import open_image
from lgd_mm.preparation.links import refuse_links
from lgd_mm.preparation.spec import DatasetSpec, Masks, Repair
from lgd_mm.preparation.tree import Tree

IGNORED = 255
#: Ids of the 19 trained labels in the order of their training ids (road, sidewalk, ..., bicycle), by
#: https://github.com/mcordts/cityscapesScripts/blob/master/cityscapesscripts/helpers/labels.py
TRAINED = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
LAST_ID = 33
IDS, TRAIN_IDS = '_labelIds.png', '_labelTrainIds.png'


def train_ids(labels: NDArray[Any]) -> NDArray[Any]:
    """Training ids of label ids.

    Args:
        labels (np.ndarray): (H, W), uint8, ids of 0..33.

    Returns:
        np.ndarray: (H, W), uint8, 0..18, and 255 where nothing is trained.

    Raises:
        ValueError: If there is another id.
    """
    if labels.max(initial=0) > LAST_ID:
        raise ValueError(f'it holds {labels.max()}, and ids end at {LAST_ID}')
    table = np.full(256, IGNORED, np.uint8)
    table[list(TRAINED)] = np.arange(len(TRAINED))
    return table[labels]


def missing_train_ids(tree: Tree, spec: DatasetSpec, folders: Sequence[Path]) -> Iterator[Repair]:
    """Masks of label ids without one of training ids.

    Args:
        tree (Tree): The data set.
        spec (DatasetSpec): Cityscapes'.
        folders (Sequence[Path]): The user's root first.

    Yields:
        Repair: Makes them, as cityscapesScripts' ``createTrainIdLabelImgs`` does.

    Raises:
        UserError: If they would come to lie behind a link.
    """
    for part in spec.parts:
        if isinstance(part, Masks):
            there = set(tree.files(part.path))
            lacking = [name for name in tree.with_suffix(part.path, (IDS.lower(), ))
                       if name.replace(IDS, TRAIN_IDS) not in there]
            if lacking:
                paths = [tree / part.path / name for name in lacking]
                refuse_links(folders[0], *{path.parent for path in paths})
                yield Repair(f'{part.path} lacks {len(lacking):,} masks *{TRAIN_IDS}', (part.path, ),
                             partial(_make, paths))


def _make(paths: Sequence[Path]) -> None:
    for path in tqdm(paths, desc=f'making *{TRAIN_IDS}', disable=None, leave=False):
        try:
            with open_image(path) as image:
                mask = Image.fromarray(train_ids(np.asarray(image)))
        except (OSError, ValueError) as error:
            raise UserError(f'{path} is no mask of Cityscapes ({error}): remove it and unpack gtFine_trainvaltest.zip '
                            'again') from error
        target = path.with_name(path.name.replace(IDS, TRAIN_IDS))
        part = unfinished(target)
        mask.save(part, 'png')
        os.replace(part, target)
