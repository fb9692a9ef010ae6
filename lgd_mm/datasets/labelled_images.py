"""Labelled images in folders that are their classes."""

import os
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.logging import print_log
from mmpretrain.datasets import CustomDataset

from lgd_mm.console.printable import printable
from lgd_mm.console.words import some
from lgd_mm.errors import UserError
from lgd_mm.io.image_files import EXTENSIONS, files_below, no_images
from lgd_mm.io.walk import is_folder
from lgd_mm.registry import DATASETS


@DATASETS.register_module()
class LabelledImages(CustomDataset):
    """mmpretrain's data set of class folders, which reads every format that pre-training does.

    Hidden folders and those of file managers are no classes, and all that is left out is counted in the log. With
    ``ann_file`` it is mmpretrain's own.

    Args:
        extensions (Sequence[str]): File endings that are images. Defaults to the common ones.
        **kwargs: See :class:`mmpretrain.datasets.CustomDataset`.

    Raises:
        UserError: If the folder holds no classes, other classes than ``metainfo`` says, or no image.
    """

    def __init__(self, extensions: Sequence[str] = EXTENSIONS, **kwargs: Any) -> None:
        super().__init__(extensions=extensions, **kwargs)

    def _find_samples(self) -> list[Any]:
        """Pairs of an image, by its path below the folder, and the number of its class."""
        root = self.img_prefix
        if not self.with_label:
            return _sorted_out(Path(root), self.extensions)[0]
        folders = class_folders(root)
        if self.CLASSES is not None and len(self.CLASSES) != len(folders):
            raise UserError(f'{root} has {len(folders)} class folders, but metainfo.classes has {len(self.CLASSES)}: '
                            'give each folder one name, in the order of the folders')
        self.folder_to_idx = {name: label for label, name in enumerate(folders)}
        self._metainfo.setdefault('classes', tuple(folders))
        samples, others, empty = [], [], []
        for label, (name, folder) in enumerate(folders.items()):
            images, rest = _sorted_out(Path(folder), self.extensions)
            samples += [(os.path.join(os.path.basename(folder), path), label) for path in images]
            others += rest
            empty += [] if images else [name]
        if not samples:
            raise UserError(f'the class folders of {root} hold no image ({", ".join(sorted(self.extensions))}): put '
                            'the images of each class into its folder')
        _tell(root, others, empty)
        return samples


def class_folders(root: str | os.PathLike[str]) -> dict[str, str]:
    """Folders that are classes, neither hidden ones nor those of file managers, in the order of their labels: that of
    their names as they are stored, as in mmpretrain.

    Args:
        root (str | PathLike): Their parent.

    Returns:
        dict[str, str]: Their names, to be shown and compared, with accents written as one character, and paths.

    Raises:
        UserError: If two have the same name but for the way accents are written.
    """
    entries = sorted((entry for entry in os.scandir(root) if is_folder(entry) and not no_images(entry.name)),
                     key=lambda entry: entry.name)
    folders = {unicodedata.normalize('NFC', printable(entry.name)): entry.path for entry in entries}
    if len(folders) < len(entries):
        raise UserError(f'{root} has two class folders whose names look the same: put their images into one')
    return folders


def count_images(folders: Mapping[str, str]) -> int:
    """Number of images in class folders.

    Args:
        folders (Mapping[str, str]): Of :func:`class_folders`.
    """
    return sum(len(_sorted_out(Path(folder), EXTENSIONS)[0]) for folder in folders.values())


def check_same_classes(train: str, ours: Sequence[str], val: str, theirs: Sequence[str]) -> None:
    """Compare the class folders of two parts, which number the classes.

    Args:
        train (str): The first part's folder.
        ours (Sequence[str]): Names of its class folders.
        val (str): The other part's folder.
        theirs (Sequence[str]): Names of its class folders.

    Raises:
        UserError: If one lacks a folder of the other, or has them in another order.
    """
    lacks, more = sorted(set(ours) - set(theirs)), sorted(set(theirs) - set(ours))
    if lacks and more:
        alike = {name.casefold(): name for name in more}
        pair = next(((name, alike[name.casefold()]) for name in lacks if name.casefold() in alike), None)
        raise UserError(f'{train} and {val} must have folders of the same names, which number the classes: '
                        + (f'{pair[0]} and {pair[1]} are two names' if pair else
                           f'{min(lacks + more)} is only in one of them'))
    if lacks or more:
        one, other = (val, train) if lacks else (train, val)
        raise UserError(f'{one} lacks {some(lacks or more)}, which {other} has: make such a class folder there, which '
                        f'may be empty, or take it out of {other}')
    label = next((label for label, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), None)
    if label is not None:
        raise UserError(f'{train} and {val} number their classes differently (class {label} is {ours[label]} and '
                        f'{theirs[label]}), for the accents in their names are stored in two ways: rename the folders '
                        'of one part by those of the other')


def _sorted_out(folder: Path, extensions: Sequence[str]) -> tuple[list[str], list[str]]:
    """Images, sorted, by their paths below the folder, and whole paths of other files and of links that lead
    nowhere."""
    images: list[str] = []
    others: list[str] = []
    start, endings = len(os.path.join(folder, '')), tuple(extensions)
    for path in files_below(folder, others):
        if path.lower().endswith(endings):
            images.append(path[start:])
        else:
            others.append(path)
    return sorted(images), others


def _tell(root: str, others: Sequence[str], empty: Sequence[str]) -> None:
    """What of a folder is no part of the data set."""
    with os.scandir(root) as entries:
        beside = [entry for entry in entries if not is_folder(entry) and not entry.name.startswith('.')
                  or is_folder(entry) and no_images(entry.name)]
    folders = sorted(printable(entry.name) for entry in beside if is_folder(entry))
    files = sorted(printable(entry.name) for entry in beside if not is_folder(entry))
    for names, what in ((folders, 'folders that are no classes'), (files, 'files beside the class folders'),
                        (sorted(map(printable, others)), 'files in class folders that are no images')):
        if names:
            print_log(f'{root}: {len(names)} {what} are left out: {some(names)}', logger='current')
    if empty:
        print_log(f'{root}: {len(empty)} class folders hold no image: {some(empty)}', logger='current')
