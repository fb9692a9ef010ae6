"""Configs that lie in checkpoints and in the folders of runs: read as data, never run, and built from a list alone."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.io.safe_load import CONFIG
from lgd_mm.moved import current_name
from lgd_mm.safety.allow_list import SCOPES, checked, plain
from lgd_mm.safety.config_text import parse_config

#: Packages that a saved config may have imported: their parts are registered then.
IMPORTS = ('lgd_mm', 'lgd_mm.models', 'lgd_mm.lean_mmseg', 'mmpretrain', 'mmpretrain.models', 'mmdet', 'mmdet.models',
           'mmseg', 'mmseg.models')
#: What draws the results of a network.
VISUALIZERS = dict(mmpretrain='UniversalVisualizer', mmdet='DetLocalVisualizer', mmseg='SegLocalVisualizer')
#: What of a data loader is kept: nothing that says how it works is a name of code.
LOADER = ('batch_size', 'num_workers', 'persistent_workers', 'pin_memory', 'drop_last', 'dataset', 'sampler',
          'batch_sampler', 'collate_fn')
#: The most that a loader may ask for.
LARGEST = dict(batch_size=2**13, num_workers=256)
#: What of a data set says how one image is read, and what its classes are.
INFERENCE = ('type', 'metainfo', 'pipeline', 'dataset', 'datasets')


def saved_network(text: str, source: object) -> dict[str, Any]:
    """What an inferencer needs of the config in a checkpoint.

    Args:
        text (str): The config, as a dump.
        source (object): The file, for messages.

    Returns:
        dict[str, Any]: ``default_scope``, ``custom_imports``, ``model``, ``data_preprocessor``, ``visualizer`` and of
        ``test_dataloader`` the pipeline and the classes.

    Raises:
        UserError: If it has no model, or names what no file may build.
    """
    cfg = parse_config(text)
    if any(key in _model(cfg) for key in ('teacher', 'students')):
        raise UserError(f'{source} is of a pre-training, which has no predictions of its own: give lgd-mm zero-shot, '
                        "or mmpretrain.get_model('lgd-..._zero-shot', pretrained=FILE)")
    kept = _network(cfg, source)
    kept['visualizer'] = dict(type=VISUALIZERS.get(kept['default_scope'], 'Visualizer'), name='visualizer')
    loader = cfg.get('test_dataloader')
    if isinstance(loader, Mapping):
        dataset = checked(loader.get('dataset'), 'dataset', source, 'test_dataloader.dataset', kept['default_scope'])
        kept['test_dataloader'] = dict(dataset=_of_inference(dataset))
    return kept


def saved_run(text: str, source: object) -> dict[str, Any]:
    """What evaluates a run, of the config in its folder.

    Args:
        text (str): The config, as a dump.
        source (object): The file, for messages.

    Returns:
        dict[str, Any]: As of :func:`saved_network`, with the loaders and evaluators of all splits.

    Raises:
        UserError: If it has no model, or names what no file may build.
    """
    cfg = parse_config(text)
    kept = _network(cfg, source)
    for split in ('train', 'val', 'test'):
        key = f'{split}_dataloader'
        if isinstance(cfg.get(key), Mapping):
            kept[key] = _loader(cfg[key], source, key, kept['default_scope'])
        key = f'{split}_evaluator'
        if cfg.get(key):
            kept[key] = _evaluators(cfg[key], source, key, kept['default_scope'])
        if f'{split}_cfg' in cfg:
            kept[f'{split}_cfg'] = {}  # mmengine's own loops
    for key in ('auto', 'randomness'):
        if key in cfg:
            kept[key] = plain(cfg[key], source, key)
    return kept


def read_saved_run(file: str | Path) -> Config:
    """:func:`saved_run` of a file.

    Raises:
        UserError: If it cannot be read, has no model, or names what no file may build.
    """
    return Config(saved_run(read_config_text(file), file))


def is_pretraining(file: str | Path) -> bool:
    """Whether the model of a run's config learns from a teacher.

    Raises:
        UserError: If the file cannot be read.
    """
    return 'teacher' in _model(parse_config(read_config_text(file)))


def read_config_text(file: str | Path) -> str:
    """The text of a config that nobody has named, of a plain file.

    Raises:
        UserError: If it cannot be read.
    """
    try:
        return read_plain(file, CONFIG).decode('utf-8')
    except (OSError, UnicodeError) as error:
        raise UserError(f'{file} cannot be read as the config of a run ({error}): give the folder of a run of '
                        'lgd_mm') from error


def _model(cfg: Mapping[str, Any]) -> Mapping[str, Any]:
    model = cfg.get('model')
    return model if isinstance(model, Mapping) else {}


def _network(cfg: Mapping[str, Any], source: object) -> dict[str, Any]:
    """The model of a config, and where its types are looked up."""
    scope = cfg.get('default_scope') or 'mmengine'
    if scope not in SCOPES:
        raise UserError(f'{source}: default_scope is {scope!r}: give a file of {", ".join(SCOPES)}')
    imports = cfg.get('custom_imports')
    names = imports.get('imports') if isinstance(imports, Mapping) else None
    asked = {current_name(str(name)) for name in names} if isinstance(names, (list, tuple)) else ()
    known = [name for name in IMPORTS if name in asked]
    for name in known:
        import_module(name)
    kept: dict[str, Any] = dict(default_scope=scope)
    if known:
        kept['custom_imports'] = dict(imports=known, allow_failed_imports=False)
    kept['model'] = checked(cfg.get('model'), 'network', source, 'model', scope)
    preprocessor = cfg.get('data_preprocessor')
    if preprocessor:
        untyped = isinstance(preprocessor, Mapping) and 'type' not in preprocessor
        # mmpretrain's classifiers add the type of theirs.
        typed = dict(preprocessor, type='mmpretrain.ClsDataPreprocessor') if untyped else preprocessor
        kept['data_preprocessor'] = checked(typed, 'preprocessor', source, 'data_preprocessor', scope)
        if untyped:
            kept['data_preprocessor'].pop('type')
    return kept


def _loader(loader: Mapping[str, Any], source: object, key: str, scope: str) -> dict[str, Any]:
    typed = {name: value for name, value in loader.items() if name in LOADER}
    kept: dict[str, Any] = {}
    for name, value in typed.items():
        where = f'{key}.{name}'
        if isinstance(value, Mapping):
            kept[name] = checked(value, 'dataset', source, where, scope)
        elif name in LARGEST and type(value) is int:
            if not 0 <= value <= LARGEST[name]:
                raise UserError(f'{source}: {where} is not between 0 and {LARGEST[name]:,}: the file is damaged or of '
                                'another program')
            kept[name] = value
        elif isinstance(value, bool) or value is None:
            kept[name] = value
        elif name == 'collate_fn':
            kept[name] = checked(dict(type=value), 'dataset', source, where, scope)
    return kept


def _evaluators(node: Any, source: object, key: str, scope: str) -> Any:
    if isinstance(node, (list, tuple)):
        return [checked(one, 'metric', source, f'{key}.{index}', scope) for index, one in enumerate(node)]
    return checked(node, 'metric', source, key, scope)


def _of_inference(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """A data set without its files."""
    kept = {key: value for key, value in dataset.items() if key in INFERENCE}
    if isinstance(kept.get('dataset'), Mapping):
        kept['dataset'] = _of_inference(kept['dataset'])
    if isinstance(kept.get('datasets'), (list, tuple)):
        kept['datasets'] = [_of_inference(one) for one in kept['datasets']]
    return kept
