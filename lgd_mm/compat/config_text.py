"""The text of a config that lies in a checkpoint is data: neither mmengine nor its inferencers run it.

``Config.fromstring`` writes the text into a file and runs that; the inferencers of all three libraries give it what a
checkpoint holds, and the Runner does so on resuming.
"""

import json
from types import ModuleType
from typing import Any

from lgd_mm.console.words import first_line
from lgd_mm.errors import UserError


def read_text_as_data(config_module: ModuleType) -> None:
    """Let ``mmengine.Config.fromstring`` take plain data alone.

    Args:
        config_module (ModuleType): ``mmengine.config.config``.
    """
    Config = config_module.Config

    def fromstring(cfg_str: str, file_format: str) -> Any:
        """As mmengine's, of a text that is a dump: assignments of numbers, words, lists and dicts."""
        import yaml

        from lgd_mm.io.yaml_values import count_values, without_merges
        from lgd_mm.safety.config_text import data_of  # here: `import lgd_mm` need not wait for it
        if file_format == '.py':
            return Config(data_of(cfg_str))
        try:
            if file_format == '.json':
                return Config(json.loads(cfg_str))
            if file_format in ('.yaml', '.yml'):
                content = yaml.safe_load(without_merges(cfg_str))
                count_values(content)
                return Config(content)
        except (ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
            reason = first_line(error)
            raise UserError(f'the text of a config is no {file_format[1:]} of plain data ({reason}): give a file that '
                            'you have read to Config.fromfile') from error
        raise OSError('Only py/yml/yaml/json type are supported now!')

    Config.fromstring = staticmethod(fromstring)


def check_inferencers(infer_module: ModuleType) -> None:
    """Let the inferencers build what is on the list, where the config comes from the checkpoint.

    Args:
        infer_module (ModuleType): ``mmengine.infer.infer``.

    Raises:
        ImportError: If they read checkpoints in another way: configs would be built unseen.
    """
    base = infer_module.BaseInferencer
    if not hasattr(base, '_init_model') or not hasattr(infer_module, '_load_checkpoint'):
        raise ImportError('the inferencers of this mmengine read checkpoints in another way than lgd_mm knows: install '
                          'the version that lgd_mm requires')
    init_model = base._init_model

    def checked_init_model(self: Any, cfg: Any, weights: str | None, device: str = 'cpu') -> Any:
        """As mmengine's."""
        if cfg or weights is None:
            return init_model(self, cfg, weights, device)
        from lgd_mm.safety.bounded_build import bounded_build
        from lgd_mm.safety.saved_config import saved_network
        checkpoint = infer_module._load_checkpoint(weights, map_location='cpu')
        cfg.update(saved_network(_text_of(checkpoint, weights), weights))
        state = checkpoint.get('state_dict', checkpoint)
        try:
            with bounded_build(state.values() if isinstance(state, dict) else (), weights):
                return init_model(self, cfg, weights, device)
        except (AssertionError, AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
            reason = first_line(error)
            raise UserError(f'{weights} describes a network that cannot be built ({reason}): give the inferencer the '
                            'config of its training as well') from error

    base._init_model = checked_init_model


def _text_of(checkpoint: Any, source: str) -> str:
    """The text of the config in a checkpoint."""
    node = checkpoint if isinstance(checkpoint, dict) else {}
    for keys in (('message_hub', 'runtime_info', 'cfg'), ('meta', 'cfg')):
        text: Any = node
        for key in keys:
            text = text.get(key) if isinstance(text, dict) else None
        if isinstance(text, str):
            return text
    raise UserError(f'{source} has no config in it: give the inferencer the config of its training as well')
