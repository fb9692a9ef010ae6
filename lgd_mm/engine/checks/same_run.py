"""A run goes on as what it was begun as: what a checkpoint decides is compared with the config."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import nn

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.engine.frozen_backbone import KEY as FROZEN
from lgd_mm.errors import UserError
from lgd_mm.models.bare_model import bare_model
from lgd_mm.models.structure import StructureGuidance
from lgd_mm.safety.config_text import parse_config

#: Parts of a config that decide what is learned; of some of them, the checkpoint has values of its own.
DECISIVE = ('model', 'data_preprocessor', 'optim_wrapper', 'randomness.seed', 'train_dataloader.dataset',
            'train_dataloader.sampler', 'train_dataloader.batch_sampler')
#: Keys in them that say where files lie, how something is computed or how weights begin, or that are compared in words
#: of their own.
FREE = ('teacher', 'categories', 'templates', 'init_cfg', 'pretrained', 'checkpoint', 'cache', 'data_root',
        'data_prefix', 'ann_file', 'index', 'backend_args', 'file_client_args', 'precision', 'dtype', 'loss_scale',
        'with_cp', 'compile', 'test_cfg', 'zero_init_residual')
#: Keys of teachers that decide what their positions are, or what stands for an image.
POSITIONS = ('dense_stride', 'dense_mode', 'class_token', 'image_size')
#: What the length of a run and its rates over time are.
SCHEDULE = ('param_scheduler', 'train_cfg.max_epochs', 'train_cfg.max_iters')

#: What schedules keep of each value in a group of parameters, in front of its name.
INITIAL = 'initial_'

#: Types that stand for each other: one by GPUs and one without, and what timm's networks were wrapped in before.
ALIKE = (('SyncBN', 'BN'), ('mmpretrain.TIMMBackbone', 'lgd_mm.TIMMBackbone'))


def check_same_run(cfg: Config, meta: Mapping[str, Any], model: nn.Module, path: str) -> None:
    """See that a run goes on as what it was begun as; another length and other rates are told, and followed by
    :func:`follow_schedule`.

    Args:
        cfg (Config): Of the run that goes on.
        meta (Mapping[str, Any]): Of its checkpoint.
        model (nn.Module): As built from the config.
        path (str): Of the checkpoint; named in errors.

    Raises:
        UserError: If the config would make another run, or ends before the checkpoint.
    """
    before = parse_config(meta.get('cfg') or '')
    if not before:
        return
    after = parse_config(cfg.pretty_text)
    found = [difference for key in DECISIVE if key.partition('.')[0] in before
             for difference in _differences(_part(before, key), _part(after, key), key)]
    found += [(key, was, now) for key, was, now in _other_positions(before, after)]
    averaged = [_has_average(config) for config in (before, after)]
    if averaged[0] != averaged[1]:
        was, now = ('with EMAHook' if has else 'without EMAHook' for has in averaged)
        found.append(('custom_hooks', was, now))
    frozen = [bool(config.get(FROZEN)) for config in (before, after)]
    if frozen[0] != frozen[1]:
        found.append((FROZEN, frozen[0], frozen[1]))
    if found:
        key, was, now = found[0]
        more = f', and {len(found) - 1} other keys differ, such as {found[1][0]}' if found[1:] else ''
        raise UserError(f'{path} is of a run with {key}={_short(was)}, and here it is {_short(now)}{more}: a run goes '
                        f'on as it was begun, so give {key}={_short(was)}, or begin a new run from its student')
    teachers = meta.get('teacher'), teacher_of(model)
    if all(teachers) and teachers[0] != teachers[1]:
        keys = ' or '.join(f'model.{key}' for key in _teachers_of(model))
        raise UserError(f'{path} is of a run with another teacher than {keys} is here: its banks and embeddings '
                        'are of that one; give the teacher that it was begun with, or begin a new run from its student')
    for unit, done in (('epoch', meta['epoch']), ('iter', meta['iter'])):
        end = (cfg.get('train_cfg') or {}).get(f'max_{unit}s')
        if end is not None and done > end:
            raise UserError(f'{path} is of a run that has done {done} {unit}s, more than train_cfg.max_{unit}s={end}: '
                            f'give {done} or more, or an earlier checkpoint as --resume FILE')
    if schedule_differs(cfg, meta):
        print_rank0(f'{path} is of a run with another length or other rates: from here on they are those that the '
                    'config says, at each step as if it had said so from the beginning')


def _other_positions(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Keys of teachers that decide their positions, which a fingerprint does not hold, where they differ."""
    was, now = (dict(_of_teachers(config.get('model') or {}, 'model')) for config in (before, after))
    for key in was.keys() | now.keys():
        if was.get(key) != now.get(key):
            yield key, was.get(key), now.get(key)


def _of_teachers(part: Any, key: str) -> Iterator[tuple[str, Any]]:
    for name, value in part.items() if isinstance(part, Mapping) else ():
        yield from _of_teachers(value, f'{key}.{name}')
        if name == 'teacher' and isinstance(value, Mapping):
            yield from ((f'{key}.{name}.{setting}', value[setting]) for setting in POSITIONS if setting in value)


def schedule_differs(cfg: Config, meta: Mapping[str, Any]) -> bool:
    """Whether a config has other rates over time than the run of a checkpoint.

    Args:
        cfg (Config): Of the run that goes on.
        meta (Mapping[str, Any]): Of its checkpoint.
    """
    before, after = parse_config(meta.get('cfg') or ''), parse_config(cfg.pretty_text)
    return bool(before) and any(
        _differences(_part(before, key), _part(after, key), key, free=()) for key in SCHEDULE)


def teacher_of(model: nn.Module) -> str | None:
    """What identifies the teachers of a model, the first one's and then those of structure; None if there is none.

    Args:
        model (nn.Module): It may be wrapped.
    """
    found = [getattr(teacher, 'fingerprint', None) for teacher in _teachers_of(model).values()]
    return ' '.join(dict.fromkeys(filter(None, found))) or None


def follow_schedule(runner: Runner) -> None:
    """Set the learning rates to where the config's own schedule is after the iterations that are done.

    Args:
        runner (Runner): Resumed; its schedulers are built anew.

    Raises:
        UserError: If a part of the schedule depends on what was measured.
    """
    before = runner.param_schedulers or []
    if isinstance(before, dict) or any(hasattr(scheduler, 'need_val_args') for scheduler in before):
        raise UserError(f'{runner.cfg.load_from} is of a run with another param_scheduler or length, and this one '
                        'depends on what was measured or on several optimisers: give param_scheduler and train_cfg as '
                        'they were')
    for group in _groups(runner.optim_wrapper):
        for name in [key.removeprefix(INITIAL) for key in group if key.startswith(INITIAL)]:
            group[name] = group[INITIAL + name]
    if not runner.cfg.get('param_scheduler'):
        return  # the rates stay as they begin
    runner.param_schedulers = schedulers = runner.build_param_scheduler(runner.cfg.param_scheduler)
    for scheduler in schedulers:
        scheduler.optimizer._global_step = 0  # the optimiser has taken steps; else each scheduler would warn of that
    length = len(runner.train_dataloader)
    for iteration in range(1, runner.iter + 1):
        for scheduler in schedulers:
            if not scheduler.by_epoch or (iteration % length == 0 and runner.epoch * length >= iteration):
                scheduler.step()


def _teachers_of(model: nn.Module) -> dict[str, Any]:
    """The teachers of a model by their keys."""
    bare = bare_model(model)
    return dict(teacher=getattr(bare, 'teacher', None)) | {
        f'{name}.teacher': module.teacher for name, module in bare.named_modules()
        if isinstance(module, StructureGuidance)}


def _groups(wrapper: OptimWrapper | OptimWrapperDict) -> Iterator[dict[str, Any]]:
    for each in wrapper.values() if isinstance(wrapper, OptimWrapperDict) else [wrapper]:
        yield from each.optimizer.param_groups


def _part(config: Mapping[str, Any], key: str) -> Any:
    node: Any = config
    for name in key.split('.'):
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


def _differences(before: Any, after: Any, key: str, free: tuple[str, ...] = FREE) -> list[tuple[str, Any, Any]]:
    """Keys whose values differ, with both."""
    return list(_walk(before, after, key, free))


def _walk(before: Any, after: Any, key: str, free: tuple[str, ...]) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in dict.fromkeys([*before, *after]):
            if name not in free and not (key == 'optim_wrapper' and name == 'type'):
                yield from _walk(before.get(name), after.get(name), f'{key}.{name}', free)
    elif isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)) and len(before) == len(after):
        for index, pair in enumerate(zip(before, after)):
            yield from _walk(*pair, f'{key}.{index}', free)
    elif before != after and not any(before in names and after in names for names in ALIKE):
        yield key, before, after


def _has_average(config: Mapping[str, Any]) -> bool:
    return any(str(hook.get('type')).endswith('EMAHook') for hook in config.get('custom_hooks') or ()
               if isinstance(hook, Mapping))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else f'{text[:57]}...'
