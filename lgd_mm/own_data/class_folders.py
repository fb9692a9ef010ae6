"""Labelled images in folders that are their classes."""

import os
from pathlib import Path
from typing import NamedTuple

from mmengine.config import ConfigDict

from lgd_mm.console.printable import shortened
from lgd_mm.errors import DataError, UserError

#: Names that the folder of each part may have.
PARTS = dict(train=('train', 'training'), val=('val', 'validation', 'valid', 'test', 'testing'))


class ClassFolders(NamedTuple):
    """What was found.

    Attributes:
        train (str, optional): Folder of the training classes; None if there are only images to test with.
        val (str): Folder of the classes to test with.
        names (list[str]): Of the class folders, in the order of the labels.
        images (int): In the training classes.
    """

    train: str | None
    val: str
    names: list[str]
    images: int

    def use(self, dataset: ConfigDict, part: str) -> None:
        """Let a data set of class folders read a part.

        Args:
            dataset (ConfigDict): Changed in place.
            part (str): ``'train'`` or ``'val'``.
        """
        dataset.update(data_root='', data_prefix=getattr(self, part), metainfo=dict(classes=self.names))


def read_class_folders(data: str | Path, training: bool) -> ClassFolders:
    """Look for ``{train,val}/CLASS`` below a folder, or for ``CLASS`` alone.

    Args:
        data (str | Path): The folder.
        training (bool): Whether there must be images to train with.

    Returns:
        ClassFolders: Whole paths.

    Raises:
        UserError: If there are no such folders, or those to train and to test with differ.
    """
    from lgd_mm.datasets.labelled_images import check_same_classes, class_folders, count_images  # brings torch
    train, folder = find_parts(data, training)
    names = _names(folder, class_folders(folder))
    if train is None:
        return ClassFolders(None, str(folder), names, 0)
    classes = class_folders(train)
    check_same_classes(str(train), _names(train, classes), str(folder), names)
    return ClassFolders(str(train), str(folder), names, count_images(classes))


def find_parts(data: str | Path, training: bool) -> tuple[Path | None, Path]:
    """Look for the folders to train and to test with; what is in them is not looked at.

    Args:
        data (str | Path): As of :func:`read_class_folders`.
        training (bool): Likewise.

    Returns:
        tuple[Path | None, Path]: Both folders; the second is the data itself if there are no parts.

    Raises:
        UserError: If one is missing.
    """
    if not os.path.isdir(data):  # also of a name that is none
        raise UserError(f'data: {shortened(str(data))} is no folder: give one with train/CLASS/* and val/CLASS/*')
    root = Path(os.path.realpath(data))
    there = {entry.name.lower(): root / entry.name for entry in sorted(root.iterdir()) if entry.is_dir()}
    found = {part: next((there[name] for name in names if name in there), None) for part, names in PARTS.items()}
    train, val = found['train'], found['val']
    if val is None and (train is not None or training):
        raise DataError(f'data: {data} has no folder {"val" if train else "train and no val"}: put the images into '
                        'train/CLASS/* and val/CLASS/*')
    if training and train is None:
        raise DataError(f'data: {data} has no folder train: put the images to train with into train/CLASS/*')
    return train, val or root


def _names(folder: Path, classes: dict[str, str]) -> list[str]:
    names = list(classes)
    if not names:
        raise DataError(f'data: {folder} has no class folders: put the images of each class into a folder with its '
                        'name')
    return names
