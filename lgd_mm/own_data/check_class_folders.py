"""Do the classes of a labelled image folder fit the classifier? mmpretrain would fail in the middle of a batch."""

import os
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from lgd_mm.datasets.labelled_images import check_same_classes, class_folders
from lgd_mm.datasets.of_config import innermost
from lgd_mm.errors import DataError
from lgd_mm.io.image_files import no_images
from lgd_mm.io.texts import read_text
from lgd_mm.io.walk import is_folder
from lgd_mm.language import category_names

#: Of a label.
DIGITS = 9
FOLDER_DATASETS = ('LabelledImages', 'CustomDataset', 'ImageNet')


def check_classes(cfg: Config, *splits: str) -> None:
    """Compare the class folders, or the labels of the list files, with the classifier and with each other.

    Args:
        cfg (Config): The whole config; its data roots exist.
        *splits (str): ``'train'``, ``'val'``, ``'test'``.

    Raises:
        UserError: If they do not fit; names the folder and the key to set.
    """
    key, expected = _num_classes(cfg.get('model') or {})
    if expected is None:
        return
    first: tuple[str, list[str]] | None = None
    for split in splits:
        dataset = innermost((cfg.get(f'{split}_dataloader') or {}).get('dataset') or {})  # outliers stand behind it
        kind = str(dataset.get('type')).split('.')[-1]
        if kind not in FOLDER_DATASETS:
            continue
        folder, labels = _paths(dataset)
        if labels:
            _check_labels(labels, key, expected)
            continue
        names = _names(folder, kind)
        if first:
            check_same_classes(first[0], first[1], folder, names)
        first = first or (folder, names)
        if len(names) != expected:
            cure = (f'set the name of each class, in the order of the folders, as {key}'
                    if key.endswith('categories') else
                    'take a config for any folder, such as configs/classification/linear_r18_folder.py'
                    if kind == 'ImageNet' else f'give --cfg-options {key}={len(names)}')
            has = 'has' if key.endswith('categories') else 'is'
            raise DataError(f'{folder} has {len(names)} class folders, but {key} {has} {expected}: {cure}')


def _names(folder: str, kind: str) -> list[str]:
    """Class folders as the data set numbers them."""
    names = list(class_folders(folder))
    if kind != 'LabelledImages':
        hidden = sorted({entry.name for entry in os.scandir(folder) if is_folder(entry) and no_images(entry.name)})
        if hidden:
            raise DataError(f'{folder} holds {", ".join(hidden)}, which mmpretrain.{kind} takes for a class: remove '
                            'it, or set type=lgd_mm.LabelledImages')
    return names


def _num_classes(model: Mapping[str, Any]) -> tuple[str, int | None]:
    """The key that holds the classifier's number of classes, or their names, and the number."""
    head, lgka = model.get('head'), model.get('lgka')
    if isinstance(head, Mapping) and 'num_classes' in head:
        return 'model.head.num_classes', head['num_classes']
    for key, part in (('model.categories', model), ('model.lgka.categories', lgka)):
        if isinstance(part, Mapping) and 'categories' in part:
            return key, len(category_names(part['categories']))
    return 'model.num_classes', model.get('num_classes')


def _paths(dataset: Mapping[str, Any]) -> tuple[str, str | None]:
    """The folder of a data set's images and its list file, as mmpretrain finds them."""
    root, prefix, split = dataset.get('data_root') or '', dataset.get('data_prefix') or '', dataset.get('split') or ''
    folder = prefix.get('img_path', '') if isinstance(prefix, Mapping) else prefix
    labels = dataset.get('ann_file') or ''
    if not labels and split and os.path.exists(os.path.join(root, 'meta', f'{split}.txt')):
        labels = os.path.join('meta', f'{split}.txt')
    return os.path.join(root, folder or split), os.path.join(root, labels) if labels else None


def _check_labels(file: str, key: str, expected: int) -> None:
    for number, line in enumerate(read_text(file).splitlines(), 1):
        label = line.strip().rpartition(' ')[2]
        if not label.isdecimal() or len(label) > DIGITS:
            raise DataError(f"{file}, line {number} is {line!r}: it must be an image's path and its label, such as "
                            "'n01440764/one.JPEG 0'")
        if int(label) >= expected:
            raise DataError(f'{file}, line {number} has the label {label}, but {key} stands for {expected} classes, 0 '
                            f'to {expected - 1}: correct the list or set the key')
