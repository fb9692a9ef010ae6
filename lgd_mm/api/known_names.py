"""Names that other libraries know, read from their sources: a misspelt one is answered without importing them, which
takes seconds."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

#: How timm's sources begin a network, and the names that it had before.
OF_TIMM = re.compile(r'^@register_model\ndef (\w+)', re.M)
DEPRECATED = re.compile(r'^register_model_deprecations\(__name__, (.*?)\}\)', re.M | re.S)
#: A model of mmpretrain in the lists beside its configs.
OF_MMPRETRAIN = re.compile(r'^ *- Name: (\S+)', re.M)
#: Of open_clip's tags, those whose weights are of the same model with the suffix as well.
QUICK = 'quick_gelu'


@cache
def models_of_timm() -> tuple[str, ...]:
    """Names of timm's models; no deprecated ones."""
    return tuple(name for text in _timm() for name in OF_TIMM.findall(text))


def is_of_timm(name: str) -> bool:
    """Whether timm builds a model of this name.

    Args:
        name (str): With the name of its weights behind a dot, or without; it may be deprecated.
    """
    model = name.partition('.')[0]
    return model in models_of_timm() or any(
        re.search(rf"[{{ ]'{re.escape(model)}' *:", names) for text in _timm() for names in DEPRECATED.findall(text))


def models_of_mmpretrain() -> list[str]:
    """Names in the lists that mmpretrain comes with, in small letters as it knows them; empty where it came without."""
    return [name.lower() for folder in _folders('mmpretrain') for file in folder.glob('.mim/configs/*/metafile.yml')
            for name in OF_MMPRETRAIN.findall(file.read_text(encoding='utf-8'))]


def models_of_open_clip() -> list[str]:
    """Names of open_clip's models."""
    return [file.stem for folder in _folders('open_clip') for file in folder.glob('model_configs/*.json')]


@cache
def tags_of_open_clip() -> dict[str, tuple[str, ...]]:
    """Tags of the weights of open_clip's models that have some."""
    assigned = {}
    for folder in _folders('open_clip'):
        for node in ast.parse((folder / 'pretrained.py').read_text(encoding='utf-8')).body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                assigned[node.targets[0].id] = node.value
    tags: dict[str, tuple[str, ...]] = {}
    for model, value in _entries(assigned.get('_PRETRAINED')):
        known = dict(_entries(assigned.get(value.id) if isinstance(value, ast.Name) else value))
        tags[model] = tuple(known)
        if quick := tuple(tag for tag, about in known.items() if QUICK in dict(_entries(about))):
            tags[f'{model}-quickgelu'] = quick
    return tags


def _entries(node: ast.AST | None) -> Iterator[tuple[str, ast.expr]]:
    """Keys and values of a dictionary in a source, or of what is written as a call."""
    if isinstance(node, ast.Dict):
        yield from ((key.value, value) for key, value in zip(node.keys, node.values)
                    if isinstance(key, ast.Constant) and isinstance(key.value, str))
    elif isinstance(node, ast.Call):
        yield from ((word.arg, word.value) for word in node.keywords if word.arg)


@cache
def _timm() -> tuple[str, ...]:
    return tuple(file.read_text(encoding='utf-8') for folder in _folders('timm')
                 for file in folder.glob('models/*.py'))


def _folders(package: str) -> list[Path]:
    """Where a package lies; none if it is not installed."""
    spec = find_spec(package)
    return [Path(folder) for folder in (spec.submodule_search_locations if spec else None) or ()]
