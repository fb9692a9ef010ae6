"""Labelled pictures in folders that are their classes."""

import os
from pathlib import Path
from typing import NamedTuple

from mmengine.config import ConfigDict

from lgd_mm.errors import UserError

#: Names that the folder of each part may have.
PARTS = dict(train=('train', 'training'), val=('val', 'validation', 'test'))


class ClassFolders(NamedTuple):
    """What was found.

    Attributes:
        train (str, optional): Folder of the training classes; None if there are only pictures to test with.
        val (str): Folder of the classes to test with.
        names (list[str]): Of the class folders, in the order of the labels.
    """

    train: str | None
    val: str
    names: list[str]

    def use(self, dataset: ConfigDict, part: str) -> None:
        """Let mmpretrain's data set of class folders read a part.

        Args:
            dataset (ConfigDict): Changed in place.
            part (str): ``'train'`` or ``'val'``.
        """
        dataset.update(data_root='', data_prefix=getattr(self, part), metainfo=dict(classes=self.names))


def read_class_folders(data: str | Path, training: bool) -> ClassFolders:
    """Look for ``{train,val}/CLASS`` below a folder, or for ``CLASS`` alone.

    Args:
        data (str | Path): The folder.
        training (bool): Whether there must be pictures to train with.

    Returns:
        ClassFolders: Whole paths.

    Raises:
        UserError: If there are no such folders.
    """
    root = Path(data).resolve()
    if not root.is_dir():
        raise UserError(f'data: {data} is no folder: give one with train/CLASS/* and val/CLASS/*')
    found = {part: next((root / name for name in names if (root / name).is_dir()), None)
             for part, names in PARTS.items()}
    train, val = found['train'], found['val']
    if val is None and (train is not None or training):
        raise UserError(f'data: {data} has no folder {"val" if train else "train and no val"}: put the pictures into '
                        'train/CLASS/* and val/CLASS/*')
    if training and train is None:
        raise UserError(f'data: {data} has no folder train: put the pictures to train with into train/CLASS/*')
    folder = val or root
    names = sorted(entry.name for entry in os.scandir(folder) if entry.is_dir())
    if not names:
        raise UserError(f'data: {folder} has no class folders: put the pictures of each class into a folder with its '
                        'name')
    return ClassFolders(str(train) if train else None, str(folder), names)
