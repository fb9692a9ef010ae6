"""Keeps what each test image adds to the metrics, while a run is tested."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.runner import Runner

from lgd_mm.statistics.detections import Detections, match_detections
from lgd_mm.statistics.files import NAME, KeptResults, write
from lgd_mm.statistics.image_results import Areas, ImageResults, RightOrWrong, names_of

#: Key of a metric, less its prefix, and the results.
Found = dict[str, ImageResults]
#: Takes a metric, what it has kept of the images, and the figures that it computed of them.
Reader = Callable[[Any, Sequence[Any], Mapping[str, Any]], Found]


def keep_image_results(runner: Runner, split: str) -> None:
    """Write ``image_results.npz`` into the work dir with each evaluation of a split; the last one stays.

    Metrics of a kind that is not known here are left out.

    Args:
        runner (Runner): Before it trains or tests.
        split (str): ``'val'`` or ``'test'``.
    """
    loop = getattr(runner, f'{split}_loop')
    if loop is None:
        return
    found: dict[BaseMetric, Found] = {}
    for metric in loop.evaluator.metrics:
        kinds = {kind.__name__ for kind in type(metric).__mro__}
        read = next((read for name, read in READERS.items() if name in kinds), None)
        if read is not None:
            _watch(metric, read, found, lambda: _write(runner, loop.dataloader.dataset, found.values()))


def _watch(metric: BaseMetric, read: Reader, found: dict[BaseMetric, Found], done: Callable[[], None]) -> None:
    compute = metric.compute_metrics  # on rank 0, with the results of all processes in the order of the images

    def compute_metrics(results: list[Any]) -> Any:
        figures = compute(results)
        prefix = f'{metric.prefix}/' if metric.prefix else ''
        found[metric] = {prefix + key: each for key, each in read(metric, results, figures).items()}
        done()
        return figures

    metric.compute_metrics = compute_metrics


def _write(runner: Runner, dataset: Any, found: Iterable[Found]) -> None:
    entries = [dataset.get_data_info(index) for index in range(len(dataset))]
    paths = [str(entry.get('img_path') or index) for index, entry in enumerate(entries)]
    classes = [str(name) for name in (dataset.metainfo or {}).get('classes') or ()]
    metrics = {key: each for of_metric in found for key, each in of_metric.items()}
    write(KeptResults(names_of(paths), classes, metrics), Path(runner.work_dir, NAME))


def _accuracy(metric: Any, results: Sequence[Any], figures: Mapping[str, Any]) -> Found:
    """Of mmpretrain's ``Accuracy``. A score that is not above its threshold, 0 unless it is given, is never right."""
    ranks = [k for k in metric.topk if f'top{k}' in figures]
    if not ranks:
        return {}
    labels = torch.cat([result['gt_label'] for result in results])
    if 'pred_score' not in results[0]:
        predicted = torch.cat([result['pred_label'] for result in results])
        classes = int(torch.maximum(labels, predicted).max()) + 1
        return {'top1': RightOrWrong((predicted == labels).numpy(), labels.numpy(), classes)}
    scores = torch.stack([result['pred_score'] for result in results])
    highest, predicted = scores.topk(max(metric.topk))
    right = predicted == labels[:, None]
    if metric.thrs[0] is not None:
        right &= highest > metric.thrs[0]
    return {f'top{k}': RightOrWrong(right[:, :k].any(dim=1).numpy(), labels.numpy(), scores.shape[1]) for k in ranks}


def _areas(metric: Any, results: Sequence[Any], figures: Mapping[str, Any]) -> Found:
    """Of mmseg's ``IoUMetric``."""
    if 'mIoU' not in figures:
        return {}
    intersection, union, *_ = (np.stack([area.numpy() for area in areas]).astype(np.int64) for areas in zip(*results))
    return {'mIoU': Areas(intersection, union)}


def _detections(metric: Any, results: Sequence[Any], figures: Mapping[str, Any]) -> Found:
    """Of mmdet's ``CocoMetric``, whose evaluation does not tell what it matched.

    It also counts the objects of annotated images that a part of the set leaves out; there nothing is kept. LVIS's,
    which is made from it, computes other figures.
    """
    kinds = [kind for kind in ('bbox', 'segm') if f'{kind}_mAP' in figures]
    if not kinds or len(results) < len(metric.img_ids):
        return {}
    return {f'{kind}_mAP': _matched(metric, results, kind) for kind in kinds}


def _matched(metric: Any, results: Sequence[Any], kind: str) -> Detections:
    from pycocotools import mask  # faster-coco-eval's, once launch.py has been imported

    coco, thresholds = metric._coco_api, np.asarray(metric.iou_thrs)
    parts: list[tuple[np.ndarray[Any, Any], ...]] = []
    objects = np.zeros((len(results), len(metric.cat_ids)), np.int64)
    for image in sorted(range(len(results)), key=lambda index: results[index][1]['img_id']):  # so COCO settles ties
        found = results[image][1]
        truth = coco.load_anns(coco.get_ann_ids(img_ids=[found['img_id']]))
        scores = found.get('mask_scores', found['scores']) if kind == 'segm' else found['scores']
        for category, identity in enumerate(metric.cat_ids):
            mine = [one for one in truth if one['category_id'] == identity]
            crowd = np.array([bool(one.get('iscrowd')) for one in mine], bool)
            objects[image, category] = (~crowd).sum()
            chosen = np.flatnonzero(found['labels'] == category)
            chosen = chosen[np.argsort(-scores[chosen], kind='stable')][:max(metric.proposal_nums)]
            if not len(chosen):
                continue
            if kind == 'segm':
                predicted: Any = [found['masks'][index] for index in chosen]
                true: Any = [coco.annToRLE(one) for one in mine]
            else:
                boxes = found['bboxes'][chosen].astype(float)
                predicted = np.hstack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]])
                true = np.array([one['bbox'] for one in mine], float).reshape(-1, 4)
            overlaps = mask.iou(predicted, true, crowd.astype(np.uint8).tolist()) if mine else ()
            ious = np.asarray(overlaps, float).reshape(len(chosen), len(mine))
            match = match_detections(ious, crowd, thresholds)
            parts.append((np.full(len(chosen), image), np.full(len(chosen), category), scores[chosen], match))
    if not parts:
        none = np.zeros(0, np.int64)
        return Detections(none, none, np.zeros(0), np.zeros((0, len(thresholds)), np.int8), objects)
    images, categories, scores, matches = map(np.concatenate, zip(*parts))
    return Detections(images, categories, scores, matches, objects)


#: Name of a metric's class, or of one that it is made from, and what reads its results.
READERS: dict[str, Reader] = {'Accuracy': _accuracy, 'IoUMetric': _areas, 'CocoMetric': _detections}
