"""A folder with an open_clip model: what its files may say."""

import gzip
import json
import zlib
from dataclasses import fields
from pathlib import Path
from typing import Any

import timm
from open_clip.model import CLIPTextCfg, CLIPVisionCfg

from lgd_mm.errors import UserError
from lgd_mm.io.files import open_plain, read_plain
from lgd_mm.safety.allow_list import TIMM
from lgd_mm.safety.config_numbers import LARGEST, PARTS

CONFIG = 'open_clip_config.json'
#: Bytes of it, and of the merges of a tokenizer once they are unpacked: open_clip's own have 3 million.
CONFIG_BYTES, MERGES = 2**24, 2**24
#: Parts of a model's config, and the keys they may have: a tower of Hugging Face would be fetched, by its name.
SETTINGS = dict(
    vision_cfg={field.name for field in fields(CLIPVisionCfg)},
    text_cfg={field.name for field in fields(CLIPTextCfg) if not field.name.startswith('hf_model')})
#: What a tokenizer may be told: how to clean and to pad. Anything else reaches transformers as it is.
TOKENIZER = ('clean', 'strip_sep_token', 'context_length', 'tokenizer_mode', 'tokenizer_type', 'language')
#: How open_clip's tokenizers clean a text.
CLEAN = ('lower', 'whitespace', 'canonicalize')
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
    for part, known in SETTINGS.items():
        settings = model.get(part)
        if not isinstance(settings, dict):
            raise UserError(f'{file} has no model_cfg.{part}: give the folder of an open_clip model')
        odd = next((key for key in settings if key not in known), None)
        if odd is not None:
            raise UserError(f'{file}: model_cfg.{part}.{str(odd)[:40]!r} is none of the settings that a folder may '
                            'have: it would be fetched, or is of another version of open_clip')
    _check_numbers(file, 'model_cfg', model)
    _check_preprocessing(file, _read(file).get('preprocess_cfg', {}))
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
    if isinstance(told, dict) and 'clean' in told and told['clean'] not in CLEAN:
        raise UserError(f'{file}: model_cfg.text_cfg.tokenizer_kwargs.clean is none of {", ".join(CLEAN)}')
    if of_hugging_face(folder):
        _check_tokenizer(folder)


def of_hugging_face(folder: Path) -> bool:
    """Whether the tokenizer is one of transformers, in the folder itself."""
    return bool(_model_config(folder)['text_cfg'].get('hf_tokenizer_name'))


def check_merges(file: Path) -> None:
    """See that the merges of a tokenizer of byte pairs can be read.

    Args:
        file (Path): ``bpe.txt.gz``.

    Raises:
        UserError: If it is damaged, of another form, or larger than any vocabulary.
    """
    try:
        with open_plain(file) as packed, gzip.open(packed) as merges:
            text = merges.read(MERGES + 1)
        if len(text) > MERGES:
            raise ValueError(f'it has more than {MERGES:,} bytes')
        text.decode('utf-8')
    except (OSError, EOFError, ValueError, zlib.error) as error:
        reason = getattr(error, 'strerror', None) or str(error) or type(error).__name__
        raise UserError(f'{file} cannot be read as the merges of a tokenizer ({reason}): copy it again, as gzip of '
                        'UTF-8, or remove it for those of open_clip') from error


def _check_preprocessing(file: Path, settings: dict[str, Any]) -> None:
    """See that images can be normalised by what a config says."""
    for key in ('mean', 'std'):
        value = settings.get(key)
        if value is not None and not (isinstance(value, list) and len(value) == 3 and all(
                isinstance(one, (int, float)) and abs(one) <= LARGEST and (key == 'mean' or one > 0) for one in value)):
            raise UserError(f'{file}: preprocess_cfg.{key} is not three numbers of channels')


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
    most = PARTS if '.layers' in key else LARGEST
    if isinstance(value, int) and abs(value) > most:
        raise UserError(f'{file}: {key} is more than {most:,}: no model has such a size')


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_plain(file, CONFIG_BYTES).decode('utf-8'))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f'{file} cannot be read ({str(error) or type(error).__name__}): copy or download it again'
                        ) from error
    if not isinstance(content, dict):
        raise UserError(f'{file} is no JSON object: give the folder of an open_clip model')
    return content
