"""Command-line settings written into a config, whatever library it belongs to."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from lgd_mm.console.words import first_line
from lgd_mm.errors import UserError
from lgd_mm.io.inputs import check_config
from lgd_mm.storage.urls import is_url
from lgd_mm.students.swap import use_backbone

PRECISIONS = {'fp16': 'float16', 'bf16': 'bfloat16'}


def load_config(path: str, options: Mapping[str, Any] | None, work_dir: str | None, launcher: str,
                backbone: Mapping[str, Any] | None = None) -> Config:
    """Read a config as OpenMMLab's own tools do.

    Args:
        path (str): The config file.
        options (Mapping[str, Any], optional): Of ``--cfg-options``.
        work_dir (str, optional): Goes before the config's own, which goes before ``work_dirs/NAME``.
        launcher (str): ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.
        backbone (Mapping[str, Any], optional): Takes the place of the config's own, before the options. Defaults to
            None.

    Returns:
        Config: With ``work_dir`` and ``launcher`` set.

    Raises:
        UserError: If the file is missing or cannot be read, the options or the backbone do not fit, or the work dir is
            no folder.
    """
    check_config(path)
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config is a program: anything may be raised
        raise UserError(f'config {path} cannot be read ({type(error).__name__}: {first_line(error)})') from error
    if backbone is not None:
        use_backbone(cfg, backbone)
    apply_options(cfg, options, path)
    cfg.launcher = launcher
    cfg.work_dir = work_dir or cfg.get('work_dir') or os.path.join('work_dirs', Path(path).stem)
    if is_url(cfg.work_dir):
        raise UserError(f'{cfg.work_dir} is in an object store, and what is written needs a folder here: give one, and '
                        'copy it afterwards; a run copies its checkpoints by default_hooks.checkpoint.copy_to')
    return cfg


def apply_options(cfg: Config, options: Mapping[str, Any] | None, path: str) -> None:
    """Overwrite keys of a config.

    Args:
        cfg (Config): Changed in place.
        options (Mapping[str, Any], optional): Of ``--cfg-options``.
        path (str): The config file, for messages.

    Raises:
        UserError: If they do not fit.
    """
    try:
        cfg.merge_from_dict(dict(options or {}))
    except (KeyError, TypeError, AssertionError) as error:
        raise UserError(f'--cfg-options do not fit {path}: {first_line(error)}') from error


def set_precision(cfg: Config, precision: str) -> None:
    """Train with autocast, and have a frozen teacher compute in half precision altogether.

    Args:
        cfg (Config): Changed in place: ``optim_wrapper`` and ``precision`` of ``model.teacher`` and of teachers of
            structure.
        precision (str): ``'fp16'``, ``'bf16'``, or ``'auto'``: fp16 on a GPU, bf16 on the CPU.

    Raises:
        UserError: If the config's optimiser wrapper has no such mode, or fp16 is asked of the CPU.
    """
    wrapper = cfg.optim_wrapper
    known = ('OptimWrapper', 'AmpOptimWrapper', 'lgd_mm.CPUAmpOptimWrapper')
    kind = wrapper.get('type', 'OptimWrapper')
    if kind not in known:
        raise UserError(f'--amp replaces optim_wrapper.type={known[0]}, but the config has {kind}: leave --amp out')
    for teacher in _teachers(cfg.model):
        if teacher.type != 'lgd_mm.CachedTeacher':
            # float16's similarities are nearer to float32's, and a teacher has no gradients that could vanish.
            teacher.setdefault('precision', 'fp16' if torch.cuda.is_available() else 'bf16')
    if torch.cuda.is_available():
        wrapper.type = 'AmpOptimWrapper'
        wrapper.dtype = PRECISIONS.get(precision, PRECISIONS['fp16'])
        wrapper.setdefault('loss_scale', 'dynamic')
        return
    if precision == 'fp16':
        raise UserError('--amp fp16 needs a GPU: on the CPU give --amp bf16')
    wrapper.type = 'lgd_mm.CPUAmpOptimWrapper'
    for gpu_only in ('dtype', 'loss_scale', 'use_fsdp'):
        wrapper.pop(gpu_only, None)


def _teachers(model: Mapping[str, Any]) -> Iterable[Any]:
    """The configs of frozen teachers in that of a model: its own, and those of structure, of several students too."""
    yield from filter(None, [model.get('teacher')])
    for student in (model, *(model.get('students') or {}).values()):
        structure = (student.get('dense') or {}).get('structure') or {}
        yield from filter(None, [structure.get('teacher')])


def set_exact_resume(cfg: Config) -> None:
    """Take this package's loop over epochs, its checkpoints and its early stopping in place of mmengine's.

    Args:
        cfg (Config): Changed in place: ``train_cfg``, ``default_hooks.checkpoint`` and ``custom_hooks``.
    """
    loop = cfg.get('train_cfg') or {}
    if _name_of_type(loop) == 'EpochBasedTrainLoop' or ('type' not in loop and loop.get('by_epoch', True)):
        loop['type'] = 'lgd_mm.EpochLoop'
        loop.pop('by_epoch', None)
    if cfg.get('default_hooks') is None:
        cfg.default_hooks = {}
    if 'checkpoint' not in cfg.default_hooks:
        cfg.default_hooks.checkpoint = dict(type='CheckpointHook', interval=1)  # mmengine's default
    hook = cfg.default_hooks.checkpoint
    if hook and _name_of_type(hook) == 'CheckpointHook':
        hook['type'] = 'lgd_mm.CheckpointHook'
    for each in cfg.get('custom_hooks') or ():
        if _name_of_type(each) == 'EarlyStoppingHook':
            each['type'] = 'lgd_mm.EarlyStoppingHook'


def set_finite_steps(cfg: Config) -> None:
    """Have every training skip steps that are not finite, and end with a reason when it has no others.

    Args:
        cfg (Config): Changed in place: ``custom_hooks``.
    """
    hooks = list(cfg.get('custom_hooks') or ())
    if not any(_name_of_type(hook) == 'NonFiniteHook' for hook in hooks):
        cfg.custom_hooks = [*hooks, dict(type='lgd_mm.NonFiniteHook')]


def _name_of_type(node: Mapping[str, Any]) -> str:
    """Without its scope; configs in Python's own style name the class itself."""
    kind = node.get('type')
    return getattr(kind, '__name__', str(kind)).rpartition('.')[2]


def set_lr_scaling(cfg: Config) -> None:
    """Scale the learning rate with the batch of all processes.

    Raises:
        UserError: If the config does not say which batch its learning rate is for.
    """
    if not (cfg.get('auto_scale_lr') or {}).get('base_batch_size'):
        raise UserError('--auto-scale-lr needs auto_scale_lr.base_batch_size, which the config does not state: give '
                        '--cfg-options auto_scale_lr.base_batch_size=N')
    cfg.auto_scale_lr.enable = True


def set_cpu_processes(cfg: Config) -> bool:
    """Make a config fit for several processes without GPUs.

    Args:
        cfg (Config): Changed in place: ``model_wrapper_cfg``, and every ``SyncBN``, which does not run on a CPU.

    Returns:
        bool: Whether there was a ``SyncBN``.
    """
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel',
        device_ids=None,
        broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False),
        **{key: value for key, value in (cfg.get('model_wrapper_cfg') or {}).items() if key == 'static_graph'})
    return _replace_sync_bn(cfg.model)


def _replace_sync_bn(node: Any) -> bool:
    found = False
    if isinstance(node, dict):
        if node.get('type') == 'SyncBN':
            node['type'], found = 'BN', True
        node = list(node.values())
    for child in node if isinstance(node, (list, tuple)) else ():
        found |= _replace_sync_bn(child)
    return found


def key_of_type(node: Any, name: str, key: str = '') -> str | None:
    """Where a config says ``type=name``.

    Args:
        node (Any): A config or a part of it.
        name (str): The type.
        key (str): Of ``node``. Defaults to ''.

    Returns:
        str, optional: The dotted key of the type; None if it is nowhere.
    """
    if isinstance(node, Mapping) and node.get('type') == name:
        return f'{key}.type'.lstrip('.')
    return next(filter(None, (key_of_type(child, name, f'{key}.{part}'.lstrip('.')) for part, child in _parts(node))),
                None)


def key_of_name(node: Any, name: str, key: str = '') -> str | None:
    """Where a config has a key of a name.

    Args:
        node (Any): A config or a part of it.
        name (str): The last part of the key.
        key (str): Of ``node``. Defaults to ''.

    Returns:
        str, optional: The dotted key; None if it is nowhere.
    """
    if isinstance(node, Mapping) and name in node:
        return f'{key}.{name}'.lstrip('.')
    return next(filter(None, (key_of_name(child, name, f'{key}.{part}'.lstrip('.')) for part, child in _parts(node))),
                None)


def _parts(node: Any) -> Iterable[tuple[Any, Any]]:
    """Keys and values of a mapping, numbers and items of a list."""
    return node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, (list, tuple)) else ()
