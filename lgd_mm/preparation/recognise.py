"""Which of the prepared data sets a config means."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

#: By the type of the data set and its scope.
TYPES = {
    'mmpretrain.ImageNet': 'imagenet',
    'mmdet.CocoDataset': 'coco',
    'mmdet.LVISV1Dataset': 'lvis',
    'mmseg.ADE20KDataset': 'ade20k',
    'mmseg.CityscapesDataset': 'cityscapes',
    'mmpretrain.COCOCaption': 'coco-captions',
    'mmpretrain.COCOVQA': 'vqa',
}
#: By the root that the configs expect, for types that read any folder.
ROOTS = {
    'data/imagenet': 'imagenet',
    'data/caltech256': 'caltech256',
    'data/coco': 'coco',
    'data/ade/ADEChallengeData2016': 'ade20k',
    'data/cityscapes': 'cityscapes',
    'data/folder': 'folder',
}


def dataset_name(dataset: Mapping[str, Any], scope: str) -> str | None:
    """What ``tools/prepare_dataset.py`` calls the data set of a config.

    Args:
        dataset (Mapping): Its config. One with classes of its own (``metainfo``) is the user's.
        scope (str): The ``default_scope``.

    Returns:
        str, optional: None if it is none of them.
    """
    kind = str(dataset.get('type'))
    if 'classes' in (dataset.get('metainfo') or {}):
        return None
    root = str(PurePath(dataset.get('data_root') or ''))
    return TYPES.get(kind if '.' in kind else f'{scope}.{kind}') or ROOTS.get(root)
