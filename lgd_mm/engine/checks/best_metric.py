"""The figure by which the best checkpoint is chosen, or training is stopped, is one that the validation gives."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.hooks import CheckpointHook

from lgd_mm.errors import UserError

KEY = 'default_hooks.checkpoint'
AUTO = 'auto'  # the first figure
RULES = ('greater', 'less')


def check_best(cfg: Config) -> None:
    """Compare ``save_best`` and what else watches a figure with those of the evaluator.

    Args:
        cfg (Config): The whole config.

    Raises:
        UserError: If there is no such figure, no validation, or nobody can tell whether more of it is better.
    """
    hook = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    watched: list[tuple[str, str]] = []
    if hook.get('save_best') is not None:
        names = _names(hook['save_best'])
        _check_rules(hook, names)
        watched += [(f'{KEY}.save_best', name) for name in names]
    watched += [(f'custom_hooks.{index}.monitor', each['monitor'])
                for index, each in enumerate(cfg.get('custom_hooks') or ())
                if str(each.get('type')).endswith('EarlyStoppingHook') and 'monitor' in each]
    if not watched:
        return
    if not cfg.get('val_dataloader') or not cfg.get('val_evaluator'):
        raise UserError(f'{watched[0][0]}={watched[0][1]} needs a validation, and the config has none: give '
                        'val_dataloader and val_evaluator, or leave it out')
    evaluators = cfg.val_evaluator if isinstance(cfg.val_evaluator, (list, tuple)) else [cfg.val_evaluator]
    figures = [_figures(evaluator) for evaluator in evaluators]
    known = [name for some in figures for name in some or ()]
    for key, name in watched:
        if name != AUTO and name not in known and None not in figures:
            raise UserError(f'{key}={name} is no figure of the validation, which gives {", ".join(known)}')
        if key.endswith('save_best') and name != AUTO and hook.get('rule') is None and not _is_understood(hook, name):
            raise UserError(f'nothing tells whether more of {key}={name} is better: give {KEY}.rule=greater or less')


def _names(given: Any) -> list[str]:
    names = [given] if isinstance(given, str) else given
    if (not isinstance(names, (list, tuple)) or not names or not all(isinstance(name, str) and name for name in names)
            or len(set(names)) < len(names) or (AUTO in names and len(names) > 1)):
        raise UserError(f'{KEY}.save_best={given!r} is no name of a figure: give one, a list of different ones, or '
                        f'{AUTO!r} for the first')
    return list(names)


def _check_rules(hook: Mapping[str, Any], names: Sequence[str]) -> None:
    rule = hook.get('rule')
    rules = list(rule) if isinstance(rule, (list, tuple)) else [rule]
    if len(rules) not in (1, len(names)) or not all(each is None or each in RULES for each in rules):
        raise UserError(f'{KEY}.rule={rule!r} is none: give greater or less, or a list of them, one for each of '
                        f'{", ".join(names)}')


def _is_understood(hook: Mapping[str, Any], name: str) -> bool:
    """Whether mmengine knows by itself if more is better, by parts of the name."""
    more = hook.get('greater_keys') or CheckpointHook._default_greater_keys
    less = hook.get('less_keys') or CheckpointHook._default_less_keys
    parts = [each for keys in (more, less) for each in ([keys] if isinstance(keys, str) else keys)]
    return any(part.lower() in name.lower() for part in parts)


def _figures(evaluator: Mapping[str, Any]) -> list[str] | None:
    """Names of what an evaluator gives; None if that is not known."""
    name = str(getattr(evaluator.get('type'), '__name__', evaluator.get('type'))).rpartition('.')[2]
    if name not in EVALUATORS or evaluator.get('classwise'):  # mmdet then gives one for each class, too
        return None
    default, figures = EVALUATORS[name]
    prefix = evaluator.get('prefix') or default
    return [f'{prefix}/{figure}' if prefix else figure for figure in figures(evaluator)]


def _of_detection(evaluator: Mapping[str, Any], items: Sequence[str], proposals: Sequence[str]) -> Iterator[str]:
    for metric in _listed(evaluator.get('metric', 'bbox')):
        if metric == 'proposal_fast':
            yield from (f'AR@{number}' for number in evaluator.get('proposal_nums', (100, 300, 1000)))
        elif metric == 'proposal':
            yield from evaluator.get('metric_items') or proposals
        else:
            yield from (f'{metric}_{item}' for item in evaluator.get('metric_items') or items)


def _of_coco(evaluator: Mapping[str, Any]) -> Iterator[str]:
    sizes = ('s', 'm', 'l')
    return _of_detection(evaluator, ('mAP', 'mAP_50', 'mAP_75', *(f'mAP_{size}' for size in sizes)),
                         ('AR@100', 'AR@300', 'AR@1000', *(f'AR_{size}@1000' for size in sizes)))


def _of_lvis(evaluator: Mapping[str, Any]) -> Iterator[str]:
    return _of_detection(evaluator, ('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'APr', 'APc', 'APf'),
                         ('AR@300', 'ARs@300', 'ARm@300', 'ARl@300'))


def _of_segmentation(evaluator: Mapping[str, Any]) -> Iterator[str]:
    parts = dict(mIoU=('mIoU', 'mAcc'), mDice=('mDice', 'mAcc'), mFscore=('mFscore', 'mPrecision', 'mRecall'))
    yield 'aAcc'
    yield from dict.fromkeys(figure for metric in _listed(evaluator.get('iou_metrics', 'mIoU'))
                             for figure in parts.get(metric, ()))


def _of_classification(evaluator: Mapping[str, Any]) -> Iterator[str]:
    thresholds = evaluator.get('thrs', 0.)
    several = isinstance(thresholds, (list, tuple)) and len(thresholds) > 1
    endings = [('_no-thr' if each is None else f'_thr-{each:.2f}') for each in thresholds] if several else ['']
    yield from (f'top{number}{ending}' for number in _listed(evaluator.get('topk', 1)) for ending in endings)


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (list, tuple)) else [value]


#: Prefix and figures of the evaluators of the ready configs.
EVALUATORS: dict[str, tuple[str, Callable[[Mapping[str, Any]], Iterator[str]]]] = {
    'CocoMetric': ('coco', _of_coco),
    'LVISMetric': ('lvis', _of_lvis),
    'IoUMetric': ('', _of_segmentation),
    'Accuracy': ('accuracy', _of_classification),
    'CalibrationError': ('calibration', lambda evaluator: iter(['ece'])),
    'RetrievalMAP': ('retrieval', lambda evaluator: iter(['mAP'])),
    'OutlierAUROC': ('outliers', lambda evaluator: iter(['auroc'])),
    'RankMe': ('embedding', lambda evaluator: iter(['rankme'])),
    'NeighbourAccuracy': ('knn', lambda evaluator: iter(['top1'])),
    'ZeroShotAccuracy': ('zero-shot', lambda evaluator: iter(['top1'])),
}
