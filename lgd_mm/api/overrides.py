"""Overrides of config keys: a misspelt one is told, where mmengine would add it and go on without a word."""

import inspect
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mmengine import registry
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmengine.utils.dl_utils import set_multi_processing
from torch.distributed import init_process_group
from torch.utils.data import DataLoader

from lgd_mm.api.teachers import LOCAL
from lgd_mm.console.words import did_you_mean
from lgd_mm.errors import UserError
from lgd_mm.io.options import parse_options as parse_overrides

__all__ = ['apply_overrides', 'parse_overrides']

#: Whose arguments the keys of a config part without a ``type`` are.
UNTYPED: dict[str, tuple[Callable[..., Any], ...]] = {
    '': (Runner, ),
    'train_dataloader': (DataLoader, ),
    'val_dataloader': (DataLoader, ),
    'test_dataloader': (DataLoader, ),
    'train_cfg': (EpochBasedTrainLoop, IterBasedTrainLoop),
    'optim_wrapper': (OptimWrapper, ),
    'env_cfg.mp_cfg': (set_multi_processing, ),
    'env_cfg.dist_cfg': (init_process_group, ),
}
#: Keys that mmengine or our runner read beside those arguments.
READ_TOO = {
    '': ('default_scope', 'custom_imports', 'auto_scale_lr', 'find_unused_parameters', 'model_wrapper_cfg', 'env_cfg',
         'frozen_backbone'),
    'train_dataloader': ('num_batch_per_epoch', ),
    'train_cfg': ('by_epoch', ),
    'optim_wrapper': ('constructor', 'paramwise_cfg'),
    'default_hooks': ('runtime_info', 'timer', 'sampler_seed', 'logger', 'param_scheduler', 'checkpoint'),
    'randomness': ('seed', 'deterministic', 'diff_rank_seed'),
    'auto_scale_lr': ('enable', 'base_batch_size'),
    'env_cfg': ('cudnn_benchmark', 'mp_cfg', 'dist_cfg', 'resource_limit'),
    'env_cfg.dist_cfg': ('init_backend', ),
}
#: Keys that mean something in every part.
EVERYWHERE = ('type', '_delete_', '_scope_')
#: Keys that name a file or a folder of this machine, if there is one.
PATHS: dict[str, Callable[[str], bool]] = dict(
    data_root=os.path.isdir, cache=os.path.isdir, checkpoint=os.path.isfile, pretrained=os.path.isfile,
    load_from=os.path.isfile, templates=os.path.isfile, names=lambda path: path.endswith(('.txt', '.json')) and
    os.path.isfile(path))
#: Keys whose value is several such names with a ``+`` between them.
JOINED = dict(categories='names')
REGISTRIES = (registry.MODELS, registry.DATASETS, registry.TRANSFORMS, registry.DATA_SAMPLERS, registry.HOOKS,
              registry.OPTIM_WRAPPERS, registry.OPTIMIZERS, registry.PARAM_SCHEDULERS, registry.LOOPS,
              registry.METRICS, registry.EVALUATOR, registry.VISUALIZERS, registry.VISBACKENDS)


def apply_overrides(cfg: Config, overrides: Mapping[str, Any] | None) -> None:
    """Check overrides against a whole config, then write them into it.

    Args:
        cfg (Config): Changed in place.
        overrides (Mapping[str, Any], optional): Dotted keys and values.

    Raises:
        UserError: If a key is neither in the config nor an argument of what it configures; names the nearest.
    """
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope', 'mmengine')):
        for key, value in (overrides or {}).items():
            _check(cfg._cfg_dict, key.split('.'), value, at='')
    try:
        cfg.merge_from_dict({key: _from_anywhere(key, value) for key, value in (overrides or {}).items()})
    except (KeyError, TypeError, AssertionError) as error:
        raise UserError(f'the overrides do not fit the config: {error}') from error


def _from_anywhere(key: str, value: Any) -> Any:
    """A value whose relative paths are absolute: the config that is written is used from other folders too."""
    name = key.rpartition('.')[2]
    if isinstance(value, Mapping):
        return {part: _from_anywhere(part, item) for part, item in value.items()}
    if not isinstance(value, str):
        return value
    if name in JOINED:
        return '+'.join(_from_anywhere(JOINED[name], part) for part in value.split('+'))
    scheme = LOCAL if value.startswith(LOCAL) else ''
    path = os.path.abspath(os.path.expanduser(value.removeprefix(scheme)))
    return scheme + path if scheme or (name in PATHS and PATHS[name](path)) else value


def _check(node: Any, parts: Sequence[str], value: Any, at: str) -> None:
    """Go down a dotted key; below it, down a value that is merged into a part."""
    if not parts:
        if isinstance(node, Mapping) and isinstance(value, Mapping) and not value.get('_delete_'):
            kind = {**node, 'type': value['type']} if 'type' in value else node
            for name, item in value.items():
                _check(kind, [name], item, at)
        return
    name, rest = parts[0], parts[1:]
    path = f'{at}.{name}'.lstrip('.')
    if isinstance(node, (list, tuple)):
        if not name.isdigit() or int(name) >= len(node):
            raise UserError(f'{path}: {at} is a list of {len(node)}: give a number from 0 to {len(node) - 1}')
        _check(node[int(name)], rest, value, path)
    elif not isinstance(node, Mapping):
        if node is not None:
            raise UserError(f'{path}: {at} is {node!r} and has no parts')
    elif name in node:
        _check(node[name], rest, value, path)
    else:
        known = _arguments(node, at)
        if known is not None and name not in known:
            where = f'{at} ({node["type"]})' if 'type' in node else at or 'the config'
            near = did_you_mean(name, {*node, *known})
            raise UserError(f'there is no key {path}; {near}{where} has {", ".join(sorted({*node, *known}))}')


def _arguments(node: Mapping[str, Any], at: str) -> set[str] | None:
    """Further keys of a part: the arguments of what it configures; None if any might be one."""
    if isinstance(node.get('type'), str):
        owners: Sequence[Callable[..., Any]] = [found for each in REGISTRIES if (found := _find(each, node['type']))]
        if not owners:
            return None
    else:
        owners = UNTYPED.get(at, ())
    known = set(READ_TOO.get(at, ())) | set(EVERYWHERE)
    for owner in owners:
        names = list(_parameters(owner))
        if None in names:
            return None
        known.update(name for name in names if name)
    return known


def _find(each: registry.Registry, kind: str) -> Callable[..., Any] | None:
    with each.switch_scope_and_registry(None) as scoped:  # get() alone knows no default scope
        try:
            found: Callable[..., Any] | None = scoped.get(kind)
        except (ImportError, KeyError):
            return None
    return found


def _parameters(owner: Callable[..., Any]) -> Iterator[str | None]:
    """Names of a constructor's arguments, with those of the base classes it passes others on to.

    None is yielded if they go on to something else: only the call itself can tell whether they fit.
    """
    for kind in inspect.getmro(owner) if inspect.isclass(owner) else (owner, ):
        call = kind.__dict__.get('__init__') if inspect.isclass(kind) else kind
        if call is None or kind is object:
            continue
        parameters = inspect.signature(call).parameters.values()
        yield from (each.name for each in parameters
                    if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY) and each.name != 'self')
        if not any(each.kind is each.VAR_KEYWORD for each in parameters):
            return
    yield None
