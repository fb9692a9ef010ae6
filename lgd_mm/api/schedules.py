"""A schedule made longer or shorter as a whole."""

from collections.abc import MutableMapping
from typing import Any

from mmengine.config import Config

#: Share of a run that warming up may take.
WARM_UP = 0.1
#: Iterations of a warm-up, at least: of a single one, mmengine's LinearLR never leaves the first factor.
SHORTEST_WARM_UP = 2


def scale_schedule(cfg: Config, epochs: int, iterations: int) -> None:
    """Let a config train for a number of epochs, with every part of its schedule where it was in proportion.

    Args:
        cfg (Config): Changed in place: the loop, ``param_scheduler``, hooks that change the pipeline, and how often a
            run that becomes shorter is validated and saved.
        epochs (int): Passes over the training images.
        iterations (int): Batches of a pass.
    """
    total = epochs * iterations
    by_epoch = 'max_epochs' in cfg.train_cfg
    length, before = (epochs, cfg.train_cfg.max_epochs) if by_epoch else (total, cfg.train_cfg.max_iters)
    parts = cfg.get('param_scheduler') or []
    kept = []
    for part in [parts] if isinstance(parts, MutableMapping) else parts:
        if part.get('by_epoch', True) == by_epoch:
            _scale(part, length / before, length)
        else:  # warming up, counted in iterations
            part['end'] = min(part['end'], round(WARM_UP * total))
        shortest = SHORTEST_WARM_UP if part['type'] == 'LinearLR' else 1
        steps = iterations if part.get('convert_to_iter_based') else 1
        if (part.get('end', length) - part.get('begin', 0)) * steps >= shortest:
            kept.append(part)
    cfg.param_scheduler = kept
    if by_epoch:
        _scale_epochs(cfg, epochs)
        return
    cfg.train_cfg.max_iters = total
    cfg.train_cfg.val_interval = cfg.default_hooks.checkpoint.interval = max(1, min(
        cfg.train_cfg.val_interval, total // 2))


def _scale_epochs(cfg: Config, epochs: int) -> None:
    """What a run does at some of its epochs."""
    factor = epochs / cfg.train_cfg.max_epochs
    cfg.train_cfg.max_epochs = epochs
    if 'dynamic_intervals' in cfg.train_cfg:
        cfg.train_cfg.dynamic_intervals = [(round(begin * factor), every)
                                           for begin, every in cfg.train_cfg.dynamic_intervals]
    for hook in cfg.get('custom_hooks') or ():
        if 'switch_epoch' in hook:  # a simpler pipeline for the last epochs
            hook.switch_epoch = round(hook.switch_epoch * factor)
    for part, key in ((cfg.train_cfg, 'val_interval'), (cfg.default_hooks.checkpoint, 'interval')):
        if part.get(key, 1) > 1:
            part[key] = max(1, min(part[key], round(part[key] * factor)))


def _scale(part: MutableMapping[str, Any], factor: float, length: int) -> None:
    for key in ('begin', 'end', 'T_max', 'step_size'):
        if key in part:
            part[key] = min(round(part[key] * factor), length)
    if 'milestones' in part:
        part['milestones'] = sorted({max(1, round(step * factor)) for step in part['milestones']})
