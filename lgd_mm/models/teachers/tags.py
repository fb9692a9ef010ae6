"""Which of a model's tags a file of weights belongs to: activation and image statistics are the tag's.

open_clip builds ``RN50`` with GELU and loads OpenAI's weights into it, which were trained with QuickGELU, without a
word: nothing in a file of weights tells.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import open_clip
from open_clip.pretrained import get_pretrained_cfg

from lgd_mm.errors import UserError
from lgd_mm.io.texts import read_json


def tag_of_file(model: str, file: str | Path, cure: str) -> str | None:
    """The tag whose settings a file of weights needs.

    Told by the name under which the tag's file is published, else by an ``open_clip_config.json`` beside it, else by
    all tags having the same settings.

    Args:
        model (str): An open_clip model name.
        file (str | Path): Its weights.
        cure (str): How to say whose file it is, with ``TAG`` where the tag goes.

    Returns:
        str, optional: The tag; None if the model has none, and so no settings but its own.

    Raises:
        UserError: If the tags differ and nothing tells which is meant.
    """
    tags = open_clip.list_pretrained_tags_by_model(model)
    path = Path(file).absolute()
    called = {path.stem, path.parent.name, *(part for part in path.parts if part.startswith('models--'))}
    named = [tag for tag in tags if _names(model, tag) & called]
    beside = Path(file).with_name('open_clip_config.json')
    if not named and beside.is_file():
        named = [tag for tag in tags if _described(beside, settings(model, tag))]
    candidates = named or tags
    if len({settings(model, tag) for tag in candidates}) > 1:
        raise UserError(f'teacher weights {file}: the tags of {model} differ in activation or image statistics '
                        f'({", ".join(candidates)}): say whose they are, or whose they were trained on from, by {cure}')
    return candidates[0] if candidates else None


def settings(model: str, tag: str) -> tuple[Any, ...]:
    """What a tag says of its weights' needs: QuickGELU or not, mean, standard deviation and interpolation."""
    found = get_pretrained_cfg(model, tag)
    return (bool(found.get('quick_gelu')), _numbers(found.get('mean')), _numbers(found.get('std')),
            found.get('interpolation') or 'bicubic')


def _names(model: str, tag: str) -> set[str]:
    """Names of a tag's published file, without ending, and of the folders that the hub's own tools keep it in."""
    found = get_pretrained_cfg(model, tag)
    repository = found.get('hf_hub', '').rpartition('/')[0]
    url = Path(urlparse(found.get('url', '')).path)
    # OpenAI's own files are called by the model alone.
    names = {tag, f'{model}-{tag}', f'{model}_{tag}', url.stem}
    if repository:
        names |= {repository.rpartition('/')[2], f'models--{repository.replace("/", "--")}'}
    return names - {'', model}


def _described(config: Path, wanted: tuple[Any, ...]) -> bool:
    """Whether a folder's own config has the settings of a tag."""
    try:
        content = read_json(config)
        images = content.get('preprocess_cfg') or {}
        return wanted == (bool(content['model_cfg'].get('quick_gelu')), _numbers(images.get('mean')) or wanted[1],
                          _numbers(images.get('std')) or wanted[2], images.get('interpolation') or wanted[3])
    except (UserError, AttributeError, KeyError, TypeError, ValueError):  # there is none, or it is another's
        return False


def _numbers(values: Any) -> tuple[float, ...]:
    return tuple(map(float, values or ()))
