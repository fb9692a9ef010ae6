"""A folder with an open_clip model: what its files may say."""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import timm
from open_clip.model import CLIPTextCfg, CLIPVisionCfg

from lgd_mm.errors import UserError
from lgd_mm.safety.allow_list import TIMM
from lgd_mm.safety.config_numbers import LARGEST

CONFIG = 'open_clip_config.json'
#: Parts of a model's config, and the keys they may have: a tower of Hugging Face would be fetched, by its name.
PARTS = dict(
    vision_cfg={field.name for field in fields(CLIPVisionCfg)},
    text_cfg={field.name for field in fields(CLIPTextCfg) if not field.name.startswith('hf_model')})
#: What a tokenizer may be told: how to clean and to pad. Anything else reaches transformers as it is.
TOKENIZER = ('clean', 'strip_sep_token', 'context_length', 'tokenizer_mode', 'tokenizer_type', 'language')
#: Files of transformers that may name code of the folder to run.
OF_TRANSFORMERS = ('tokenizer_config.json', 'config.json', 'special_tokens_map.json')


def check_folder(folder: Path) -> None:
    """See that nothing in a folder would be run or fetched when its model and its tokenizer are made.

    Args:
        folder (Path): With ``open_clip_config.json``.

    Raises:
        UserError: If the config is no model of open_clip, or asks for code, or for what is not in the folder.
    """
    file = folder / CONFIG
    model = _model_config(folder)
    for part, known in PARTS.items():
        settings = model.get(part)
        if not isinstance(settings, dict):
            raise UserError(f'{file} has no model_cfg.{part}: give the folder of an open_clip model')
        odd = next((key for key in settings if key not in known), None)
        if odd is not None:
            raise UserError(f'{file}: model_cfg.{part}.{str(odd)[:40]!r} is none of the settings that a folder may '
                            'have: it would be fetched, or is of another version of open_clip')
    _check_numbers(file, 'model_cfg', model)
    tower = model['vision_cfg'].get('timm_model_name')
    if tower is not None and not (isinstance(tower, str) and TIMM.fullmatch(tower)
                                  and timm.is_model(tower.partition('.')[0])):
        raise UserError(f'{file}: model_cfg.vision_cfg.timm_model_name is no name of timm: a folder names no networks '
                        'that would be fetched')
    told = model['text_cfg'].get('tokenizer_kwargs') or {}
    odd = next((key for key in told if key not in TOKENIZER), None) if isinstance(told, dict) else 'tokenizer_kwargs'
    if odd is not None:
        raise UserError(f'{file}: model_cfg.text_cfg.tokenizer_kwargs has {str(odd)[:40]!r}: a tokenizer of a folder '
                        f'is told {", ".join(TOKENIZER)} alone, and no code of the folder is run')
    if of_hugging_face(folder):
        _check_tokenizer(folder)


def of_hugging_face(folder: Path) -> bool:
    """Whether the tokenizer is one of transformers, in the folder itself."""
    return bool(_model_config(folder)['text_cfg'].get('hf_tokenizer_name'))


def _model_config(folder: Path) -> dict[str, Any]:
    content = _read(folder / CONFIG)
    model = content.get('model_cfg')
    if not isinstance(model, dict) or not isinstance(content.get('preprocess_cfg', {}), dict):
        raise UserError(f'{folder / CONFIG} has no model_cfg: give the folder of an open_clip model')
    return model


def _check_tokenizer(folder: Path) -> None:
    if not any((folder / name).is_file() for name in ('tokenizer.json', 'tokenizer_config.json')):
        raise UserError(f'{folder / CONFIG} names a tokenizer that is not in the folder: put its tokenizer.json and '
                        'tokenizer_config.json there; nothing is fetched by what a file names')
    for name in OF_TRANSFORMERS:
        if (folder / name).is_file() and 'auto_map' in _read(folder / name):
            raise UserError(f'{folder / name} asks to run code (auto_map): no code of a teacher\'s folder is run; take '
                            'the key out if the tokenizer is one that transformers has')


def _check_numbers(file: Path, key: str, value: Any) -> None:
    """See that no number is beyond what a network has."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in items:
        _check_numbers(file, f'{key}.{name}', item)
    if isinstance(value, int) and abs(value) > LARGEST:
        raise UserError(f'{file}: {key} is more than {LARGEST:,}: no model has such a size')


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding='utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f'{file} cannot be read ({str(error) or type(error).__name__}): copy or download it again'
                        ) from error
    if not isinstance(content, dict):
        raise UserError(f'{file} is no JSON object: give the folder of an open_clip model')
    return content
