"""The built-in category sets, read from the installed libraries where they have them."""

from collections.abc import Callable
from functools import partial
from importlib.resources import files

from lgd_mm.errors import UserError
from lgd_mm.language.cleaning import QUALIFIER

#: open_clip calls two pairs of ImageNet classes the same; WordNet's own names tell the later ones apart.
IMAGENET_RENAMED = {744: 'projectile', 836: 'sunglass'}


def imagenet() -> list[str]:
    """The 1,000 classes in the order of their folders, by open_clip's names.

    Their qualifiers were chosen for the prompts and stay: ``kite (bird of prey)`` is ``kite, bird of prey``.
    """
    from open_clip import IMAGENET_CLASSNAMES  # takes seconds, which no other set needs
    names = [IMAGENET_RENAMED.get(index, name) for index, name in enumerate(IMAGENET_CLASSNAMES)]
    return [QUALIFIER.sub(r', \1', name) for name in names]


def caltech256() -> list[str]:
    """The 256 object categories in the order of their folders, without ``257.clutter``."""
    return files('lgd_mm.language').joinpath('caltech256.txt').read_text(encoding='utf-8').splitlines()


def metainfo_classes(dataset: str) -> list[str]:
    """The classes a downstream data set declares.

    Args:
        dataset (str): Its type with its scope, e.g. ``'mmdet.CocoDataset'``.

    Returns:
        list[str]: ``METAINFO['classes']``.

    Raises:
        UserError: If there is no such data set, or it declares no classes.
    """
    # The scope's registry must exist before a lookup, and finds its own data sets lazily.
    from mmengine.registry import DATASETS
    try:
        found = DATASETS.get(dataset)
    except ImportError:
        found = None
    if found is None:
        raise UserError(f'categories: there is no data set type {dataset!r}')
    classes = getattr(found, 'METAINFO', {}).get('classes')
    if not classes:
        raise UserError(f'categories: {dataset} declares no classes in its METAINFO')
    return list(classes)


CATEGORY_SETS: dict[str, Callable[[], list[str]]] = {
    'imagenet': imagenet,
    'caltech256': caltech256,
    'coco': partial(metainfo_classes, 'mmdet.CocoDataset'),
    'lvis': partial(metainfo_classes, 'mmdet.LVISV1Dataset'),
    'ade20k': partial(metainfo_classes, 'mmseg.ADE20KDataset'),
    'cityscapes': partial(metainfo_classes, 'mmseg.CityscapesDataset'),
}
