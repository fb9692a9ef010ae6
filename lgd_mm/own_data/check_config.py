"""Do annotations fit the config? mmdet drops what it does not know, and mmseg fails within the loss."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.dist import get_rank
from mmengine.registry import DATASETS
from mmengine.runner import Runner

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.console.words import some
from lgd_mm.datasets.of_config import datasets_of
from lgd_mm.errors import UserError
from lgd_mm.own_data.check_labels import CheckLabels
from lgd_mm.own_data.coco_categories import read_categories
from lgd_mm.own_data.coco_set import check_coco


def check_categories(cfg: Config, *splits: str) -> None:
    """Compare the categories of annotation files in COCO format with the classes of their data sets, and look at the
    objects of sets with classes of their own.

    Args:
        cfg (Config): The whole config; its files exist.
        *splits (str): ``'train'``, ``'val'``, ``'test'``.

    Raises:
        UserError: If a class is not in the file, the order differs, or the objects cannot be used. Categories that are
            no class are named, with the number of their annotations, and left out.
    """
    told: set[Path] = set()
    for split in splits:
        for key, dataset in datasets_of(cfg, split):
            kind = _coco_kind(cfg, dataset)
            path = Path(dataset.get('data_root') or '', dataset.get('ann_file') or '')
            if kind is None or not path.is_file():
                continue
            classes = (dataset.get('metainfo') or {}).get('classes') or kind.METAINFO['classes']
            categories = read_categories(path)
            _compare(path, f'{key}.metainfo.classes', list(classes), [item['name'] for item in categories], kind)
            wanted = set(classes)
            if _is_own(dataset, kind):
                used = {item['id']: item['name'] for item in categories if item['name'] in wanted}
                folder = Path(dataset.get('data_root') or '', (dataset.get('data_prefix') or {}).get('img') or '')
                check_coco(path, used, folder, 'train' if split == 'train' else 'test')
            left_out = {item['id']: item['name'] for item in categories if item['name'] not in wanted}
            if left_out and path not in told and get_rank() == 0 and not _numbers_all(kind):
                told.add(path)
                dropped = sum(item['category_id'] in left_out for item in json.loads(path.read_bytes())['annotations'])
                print_rank0(f'{path}: {some(list(left_out.values()))} {"is" if len(left_out) == 1 else "are"} not in '
                    f'{key}.metainfo.classes, and left out (annotations: {dropped})')


def watch_labels(runner: Runner, *splits: str) -> None:
    """Look at each mask that a segmentation run loads.

    Args:
        runner (Runner): Built; its loaders hold mmseg's data sets.
        *splits (str): Those that it reads, of ``'train'``, ``'val'`` and ``'test'``; the others may not be there.
    """
    heads = runner.cfg.model.get('decode_head')
    if not heads:
        return
    classes = (heads[-1] if isinstance(heads, (list, tuple)) else heads)['num_classes']
    loops = [getattr(runner, f'{split}_loop') for split in splits
             if getattr(runner, f'_{split}_loop') is not None]
    for loop in loops:
        for dataset in _innermost(loop.dataloader.dataset):
            transforms = getattr(getattr(dataset, 'pipeline', None), 'transforms', [])
            for index, transform in enumerate(transforms):
                if type(transform).__name__ == 'LoadAnnotations':
                    transforms[index] = CheckLabels(transform, max(classes, 2))
                    break


def _compare(path: Path, key: str, classes: list[str], names: list[str], kind: Any) -> None:
    """Raise a UserError unless the classes can be told by the file's categories."""
    from mmdet.datasets import CocoDataset
    if _numbers_all(kind):
        if len(names) != len(classes):
            raise UserError(f'{path} has {len(names)} categories, but {kind.__name__} has {len(classes)} classes: give '
                            '--data FOLDER for a data set of your own')
        return
    known, wanted = set(names), set(classes)
    absent = [name for name in classes if name not in known]
    if absent:
        raise UserError(f'{path} has no category {some(absent)} of {key} (it has {some(names)}): give --data FOLDER '
                        'for a data set of your own, or set the classes')
    order = [name for name in names if name in wanted]
    if order != classes and kind.load_data_list is CocoDataset.load_data_list:  # Objects365 sorts for itself
        raise UserError(f'{path} has its categories in another order than {key}, and mmdet numbers the labels by the '
                        f'file: give the classes as {some(order)}')


def _is_own(dataset: Mapping[str, Any], kind: Any) -> bool:
    """Whether it is a set of boxes with classes of its own; published ones are looked at as they are prepared."""
    from mmdet.datasets import CocoDataset
    plain = kind.COCOAPI is CocoDataset.COCOAPI and kind.load_data_list is CocoDataset.load_data_list
    return plain and 'classes' in (dataset.get('metainfo') or {})


def _numbers_all(kind: Any) -> bool:
    """Whether it is an LVIS set: those take all categories by place, and some of mmdet's names are not the file's."""
    from mmdet.datasets import LVISV05Dataset
    return issubclass(kind, LVISV05Dataset)


def _coco_kind(cfg: Config, dataset: Mapping[str, Any]) -> Any:
    """The class of a data set that reads COCO's format; None for others."""
    # Not DATASETS.get alone: it knows no default scope, and would find none of mmdet's.
    with DATASETS.switch_scope_and_registry(cfg.get('default_scope')) as registry:
        kind = registry.get(str(dataset.get('type')))
    return kind if hasattr(kind, 'COCOAPI') else None


def _innermost(dataset: Any) -> Iterator[Any]:
    """The data sets within wrappers."""
    inner = getattr(dataset, 'datasets', None) or ([dataset.dataset] if hasattr(dataset, 'dataset') else None)
    if inner is None:
        yield dataset
    for item in inner or ():
        yield from _innermost(item)
