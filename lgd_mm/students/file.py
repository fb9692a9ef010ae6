"""A student on disk: the bare backbone with what is known about it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.io.files import replacing, save_torch
from lgd_mm.io.networks import find_network
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.io.texts import parse_json
from lgd_mm.safety.config_text import parse_config
from lgd_mm.version import __version__

PREFIX = 'backbone.'
#: Key of the category names in an LGD checkpoint.
VOCABULARY = 'lgka.vocabulary'


def read_student(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a backbone from an exported student, an LGD checkpoint or any checkpoint with ``backbone.`` keys.

    Args:
        path (str | Path): A ``.safetensors`` or ``.pth`` file.

    Returns:
        tuple[dict[str, Tensor], dict[str, Any]]: Weights without the prefix, and the metadata of
        :func:`student_metadata` as far as the file knows it.

    Raises:
        UserError: If the file is missing, damaged, unsafe, or holds no ``backbone.`` keys.
    """
    return student_of(load_checkpoint_file(path), path)


def student_of(checkpoint: Mapping[str, Any], path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What :func:`read_student` returns, of what :func:`lgd_mm.io.safe_load.load_checkpoint_file` has read."""
    weights, metadata, prefix = weights_of(checkpoint, path)
    if not prefix:
        found = ', '.join(list(weights)[:3]) or 'nothing'
        raise UserError(f'{path} holds no backbone: its keys ({found}, ...) do not begin with {PREFIX!r}: give an '
                        'exported student or a checkpoint of lgd_mm or mmpretrain')
    return weights, metadata


def read_weights(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any], str]:
    """Read a student, or the weights file of a supervised network of timm or torchvision, whose keys have no prefix.

    Args:
        path (str | Path): A ``.safetensors`` or ``.pth`` file.

    Returns:
        tuple[dict[str, Tensor], dict[str, Any], str]: Weights and metadata as of :func:`read_student`, and the prefix
        the keys have in the file: ``'backbone.'`` or none.

    Raises:
        UserError: If the file is missing, damaged or unsafe.
    """
    return weights_of(load_checkpoint_file(path), path)


def weights_of(checkpoint: Mapping[str, Any], path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any], str]:
    """What :func:`read_weights` returns, of what :func:`lgd_mm.io.safe_load.load_checkpoint_file` has read."""
    state = find_network(checkpoint, path).state
    prefix = PREFIX if any(key.startswith(PREFIX) for key in state) else ''
    weights = {key.removeprefix(prefix): value for key, value in state.items()
               if key.startswith(prefix) and isinstance(value, Tensor)}
    try:
        metadata = _metadata(checkpoint, state)
    except (AttributeError, TypeError) as error:  # a list where a config has a dict
        raise UserError(f'{path} is no checkpoint of a model, by the config in it (meta.cfg): name a file saved by '
                        'training') from error
    return weights, metadata, prefix


def write_student(weights: Mapping[str, Tensor], metadata: Mapping[str, Any], stem: str | Path) -> tuple[Path, Path]:
    """Write a backbone as ``STEM.safetensors`` and ``STEM.pth``, each complete or not at all.

    Args:
        weights (Mapping[str, Tensor]): Without the ``backbone.`` prefix, which the files get.
        metadata (Mapping[str, Any]): Of :func:`student_metadata`.
        stem (str | Path): Path without suffix; its folder is made if it is missing.

    Returns:
        tuple[Path, Path]: The two files.

    Raises:
        UserError: If they cannot be written.
    """
    tensors, pickle = Path(f'{stem}.safetensors'), Path(f'{stem}.pth')
    try:
        with replacing(tensors) as part:
            part.write_bytes(student_bytes(weights, metadata))  # save_file() would hide it from other users
        save_torch(pickle, dict(meta=dict(metadata), state_dict=_prefixed(weights)))
    except Exception as error:  # safetensors has an exception of its own
        raise UserError(f'the student cannot be written to {tensors.parent} ({error}): choose a folder with room '
                        'that you may write to') from error
    return tensors, pickle


def student_bytes(weights: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> bytes:
    """A backbone as the content of a safetensors file.

    Args:
        weights (Mapping[str, Tensor]): Without the ``backbone.`` prefix, which the content gets.
        metadata (Mapping[str, Any]): Of :func:`student_metadata`; safetensors keeps it as JSON.

    Returns:
        bytes: To be written as it is.
    """
    text = {key: json.dumps(value) for key, value in metadata.items()}
    return save(_prefixed(weights), metadata={'format': 'pt', **text})


def _prefixed(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {PREFIX + key: value.detach().cpu().contiguous().clone() for key, value in weights.items()}


def student_metadata(config: Mapping[str, Any], iteration: int | None, state: Mapping[str, Tensor],
                     averaged: bool = False) -> dict[str, Any]:
    """What a student file says about itself; all values are plain JSON.

    Args:
        config (Mapping[str, Any]): The pre-training config.
        iteration (int, optional): Iterations trained.
        state (Mapping[str, Tensor]): The pre-trained model's state, for its category names.
        averaged (bool): Whether the weights are the average of an EMAHook. Defaults to False.

    Returns:
        dict[str, Any]: ``backbone`` (config), ``mean`` and ``std`` (of its input, 0-255 RGB), ``teacher`` (config),
        ``image_size`` (side of its views, in pixels), ``vocabulary_digest`` (of names and templates), ``lgd_mm``
        (version) and ``iteration``; None where unknown. ``averaged`` is there, and True, for an average.
    """
    model = config.get('model') or {}
    preprocessor = model.get('data_preprocessor') or config.get('data_preprocessor') or {}
    if 'teacher' in model:
        # Here: it imports the teachers, which transfer never needs.
        from lgd_mm.models.distiller import IMAGENET_PREPROCESSOR
        preprocessor = {**IMAGENET_PREPROCESSOR, **preprocessor}
    digest = None
    if VOCABULARY in state:
        from lgd_mm.language import Vocabulary  # here: only checkpoints of the pre-training have names
        digest = Vocabulary.from_tensor(state[VOCABULARY]).digest
    return json.loads(
        json.dumps(
            dict(
                backbone=model.get('backbone'),
                mean=preprocessor.get('mean'),
                std=preprocessor.get('std'),
                image_size=view_size(config),
                teacher=model.get('teacher'),
                vocabulary_digest=digest,
                lgd_mm=__version__,
                iteration=iteration,
                **(dict(averaged=True) if averaged else {})),
            default=str))


def view_size(config: Mapping[str, Any]) -> int | None:
    """Side of the views of a pre-training, in pixels.

    Args:
        config (Mapping[str, Any]): The whole config.

    Returns:
        int, optional: None if its pipeline does not say.
    """
    dataset = (config.get('train_dataloader') or {}).get('dataset') or {}
    for step in dataset.get('pipeline') or ():
        size = step.get('size', step.get('scale'))
        if str(step.get('type')).rpartition('.')[2] in ('RandomView', 'RandomResizedCrop') and isinstance(size, int):
            return size
    return None


def _metadata(checkpoint: Mapping[str, Any], state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Metadata of an exported student, or put together from a training checkpoint."""
    meta = checkpoint.get('meta') or {}
    if 'cfg' in meta:
        # mmengine saves the average as state_dict, and beside it what it was trained with.
        averaged = 'ema_state_dict' in checkpoint or bool(meta.get('averaged'))
        return student_metadata(parse_config(meta['cfg']), meta.get('iter'), state, averaged)
    if 'vocabulary_digest' not in meta:
        return {}
    if meta.get('format') == 'pt':  # safetensors keeps strings only
        return {key: parse_json(value, f'{key} in the metadata of a student') for key, value in meta.items()
                if key != 'format'}
    return meta
