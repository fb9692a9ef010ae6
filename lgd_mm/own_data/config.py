"""A data set of one's own in any config: ``--data FOLDER`` and no Python."""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from mmengine.config import Config, ConfigDict

from lgd_mm.datasets.labelled_images import class_folders, count_images
from lgd_mm.datasets.of_config import innermost
from lgd_mm.errors import UserError
from lgd_mm.own_data.check_class_folders import FOLDER_DATASETS
from lgd_mm.own_data.class_folders import ClassFolders, read_class_folders
from lgd_mm.own_data.detection import DetectionFolder, read_detection
from lgd_mm.own_data.folder import OwnFolder
from lgd_mm.own_data.palette import class_colours
from lgd_mm.own_data.segmentation import SegmentationFolder, read_segmentation

#: Has the data set of images and masks, and imports mmseg.
SEGMENTATION = 'lgd_mm.lean_mmseg'
#: Loaders of a config and the part of the data they take.
SPLITS = dict(train='train', val='val', test='val')


def use_own_data(cfg: Config, root: str) -> OwnFolder:
    """Let a config read a folder of one's own; its classes are those of the data.

    Args:
        cfg (Config): Of mmdet, mmseg or mmpretrain. Changed in place: data sets, evaluators, every ``num_classes``.
        root (str): Folder as told in ``docs/own_data.md``.

    Returns:
        OwnFolder: What was found; as a string, one line.

    Raises:
        UserError: If the folder or the config does not fit.
    """
    scope = cfg.get('default_scope')
    if scope == 'mmdet':
        return _use_detection(cfg, read_detection(root))
    if scope == 'mmseg':
        return _use_segmentation(cfg, read_segmentation(root))
    if scope == 'mmpretrain' and _is_labelled(cfg):
        return _use_classification(cfg, read_class_folders(root, training=True))
    raise UserError(f'--data is for detection, segmentation and classification, and {cfg.filename} is of another kind: '
                    'a pre-training reads train_dataloader.dataset.data_root')


def _use_detection(cfg: Config, data: DetectionFolder) -> DetectionFolder:
    masks = any(step.get('with_mask') for step in innermost(cfg.train_dataloader.dataset).pipeline)
    if masks and not data.masks:
        raise UserError(f'{data.root}/annotations has objects without masks, which {cfg.filename} needs: take a config '
                        'without them, such as configs/coco/faster-rcnn_r18_fpn_1x_coco.py')
    _set_classes(cfg.model, len(data.classes))
    for loader, split in SPLITS.items():
        _set_dataset(cfg, loader, dict(
            type='CocoDataset',
            data_root=data.root,
            ann_file=data.annotations[split],
            data_prefix=dict(img=data.images[split]),
            metainfo=dict(classes=data.classes, palette=class_colours(len(data.classes))),
            **(dict(filter_cfg=dict(filter_empty_gt=True, min_size=1)) if split == 'train' else dict(test_mode=True))))
        if split == 'val' and cfg.get(f'{loader}_dataloader'):
            metric = ConfigDict(
                type='CocoMetric', ann_file=data.annotations[split], metric=['bbox', 'segm'] if masks else ['bbox'],
                format_only=False)
            if _is(cfg[f'{loader}_evaluator'], 'CorruptionMetric'):
                cfg[f'{loader}_evaluator'].metric = metric
            else:
                cfg[f'{loader}_evaluator'] = metric
    return data


def _use_segmentation(cfg: Config, data: SegmentationFolder) -> SegmentationFolder:
    _set_classes(cfg.model, len(data.classes))
    import_module(SEGMENTATION)
    imports = (cfg.get('custom_imports') or {}).get('imports') or ()
    cfg.custom_imports = dict(imports=[*imports, *({SEGMENTATION} - {*imports})], allow_failed_imports=False)
    for loader, split in SPLITS.items():
        _set_dataset(cfg, loader, dict(
            type='lgd_mm.PicturesAndMasks',
            data_root=data.root,
            data_prefix=dict(img_path=data.images[split], seg_map_path=data.masks[split]),
            img_suffix=data.image_suffixes,
            seg_map_suffix=data.mask_suffixes,
            metainfo=dict(classes=data.classes, palette=data.palette),
            reduce_zero_label=False,
            **(dict() if split == 'train' else dict(test_mode=True))))
    return data


def _is_labelled(cfg: Config) -> bool:
    """Whether a config reads labelled images; a pre-training reads others."""
    loader = cfg.get('train_dataloader') or cfg.get('val_dataloader') or cfg.get('test_dataloader')
    return bool(loader) and str(innermost(loader.dataset).get('type')).split('.')[-1] in FOLDER_DATASETS


def _use_classification(cfg: Config, folders: ClassFolders) -> OwnFolder:
    assert folders.train is not None
    count = len(folders.names)
    _set_classes(cfg.model, count)
    if 'categories' in cfg.model:
        cfg.model.categories = list(folders.names)
    if 'topk' in (cfg.model.get('head') or {}):
        cfg.model.head.topk = (1, )
    for loader, split in SPLITS.items():
        _set_dataset(cfg, loader, dict(type='lgd_mm.LabelledImages', data_root='', data_prefix=getattr(folders, split),
                                       metainfo=dict(classes=folders.names)))
        _set_topk(cfg.get(f'{loader}_evaluator'), count)
    root = os.path.commonpath([folders.train, folders.val])
    images = dict(train=folders.train, val=folders.val)
    counts = dict(train=folders.images, val=count_images(class_folders(folders.val)))
    return OwnFolder(root, tuple(folders.names), images, counts)


def _set_dataset(cfg: Config, loader: str, settings: dict[str, Any]) -> None:
    """Put a data set into a loader, with the pipeline of the one it takes the place of, which may be wrapped."""
    key = f'{loader}_dataloader'
    if not cfg.get(key):
        return
    inner = innermost(cfg[key].dataset)
    for step in inner.pipeline:
        step.pop('reduce_zero_label', None)
    dataset = ConfigDict(pipeline=inner.pipeline, **settings)
    # Some wrappers do what the pipeline needs: one makes mosaics, one says how to corrupt an image.
    if 'dataset' in cfg[key].dataset and ('pipeline' in cfg[key].dataset or _is(cfg[key].dataset, 'CorruptedImages')):
        cfg[key].dataset.dataset = dataset
    elif _is(cfg[key].dataset, 'FewLabels'):
        cfg[key].dataset.dataset = dataset
    elif 'datasets' in cfg[key].dataset:  # outliers stand behind it
        cfg[key].dataset.datasets[0] = dataset
    else:
        cfg[key].dataset = dataset


def _set_topk(node: Any, count: int) -> None:
    """Let metrics look at no more names than there are classes."""
    if isinstance(node, Mapping):
        if node.get('topk'):
            node['topk'] = tuple(k for k in node['topk'] if k <= count) or (1, )  # type: ignore[index]
        _set_topk(node.get('metric'), count)
    elif isinstance(node, (list, tuple)):
        for item in node:
            _set_topk(item, count)


def _is(node: Any, name: str) -> bool:
    return isinstance(node, Mapping) and str(node.get('type')).endswith(name)


def _set_classes(node: Any, count: int, key: str = 'model') -> None:
    """Set every ``num_classes``; lists with a value for each class of another data set are the user's to settle."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == 'num_classes':
                node[name] = count  # type: ignore[index]
            elif name == 'class_weight' and isinstance(value, (list, tuple)) and len(value) != count:
                raise UserError(f'{key}.{name} has {len(value)} weights, but the data has {count} classes: give '
                                f'--cfg-options {key}.{name}=None, or a list of {count}')
            else:
                _set_classes(value, count, f'{key}.{name}')
    elif isinstance(node, (list, tuple)):
        for index, item in enumerate(node):
            _set_classes(item, count, f'{key}.{index}')
