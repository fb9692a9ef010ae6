"""A student on disk: the bare backbone, and what is said about it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.io.files import replacing, save_torch
from lgd_mm.io.texts import parse_json
from lgd_mm.language import Vocabulary
from lgd_mm.models.common import IMAGENET_PREPROCESSOR
from lgd_mm.version import __version__

#: What the keys of a backbone and of its projection begin with.
PREFIX, NECK = 'backbone.', 'neck.'
#: What the keys of a pyramid begin with in a pre-training that lets it travel, see ``lgd_mm.FPNProjection``; in the
#: student's own file they are those of a neck.
FPN = 'dense.pyramid.fpn.'
#: Keys of the category names and of their embeddings in an LGD checkpoint.
VOCABULARY, TEXTUAL_BANK = 'lgka.vocabulary', 'lgka.textual_bank'


def write_student(weights: Mapping[str, Tensor], metadata: Mapping[str, Any], stem: str | Path,
                  neck: Mapping[str, Tensor] | None = None) -> tuple[Path, Path]:
    """Write a backbone, and a neck that travels with it, as ``STEM.safetensors`` and ``STEM.pth``, each complete or
    not at all.

    Args:
        weights (Mapping[str, Tensor]): Without the ``backbone.`` prefix, which the files get.
        metadata (Mapping[str, Any]): Of :func:`student_metadata`.
        stem (str | Path): Path without suffix; its folder is made if it is missing.
        neck (Mapping[str, Tensor], optional): Without the ``neck.`` prefix, which the files get. Defaults to None.

    Returns:
        tuple[Path, Path]: The two files.

    Raises:
        UserError: If they cannot be written.
    """
    tensors, pickle = Path(f'{stem}.safetensors'), Path(f'{stem}.pth')
    try:
        with replacing(tensors) as part:
            part.write_bytes(student_bytes(weights, metadata, neck))  # save_file() would hide it from other users
        save_torch(pickle, dict(meta=dict(metadata), state_dict=_prefixed(weights, neck)))
    except Exception as error:  # safetensors has an exception of its own
        raise UserError(f'the student cannot be written to {tensors.parent} ({error}): choose a folder with disk space '
                        'that you may write to') from error
    return tensors, pickle


def student_bytes(weights: Mapping[str, Tensor], metadata: Mapping[str, Any],
                  neck: Mapping[str, Tensor] | None = None) -> bytes:
    """A backbone as the content of a safetensors file.

    Args:
        weights (Mapping[str, Tensor]): Without the ``backbone.`` prefix, which the content gets.
        metadata (Mapping[str, Any]): Of :func:`student_metadata`; safetensors keeps it as JSON.
        neck (Mapping[str, Tensor], optional): As of :func:`write_student`. Defaults to None.

    Returns:
        bytes: To be written as it is.
    """
    text = {key: json.dumps(value) for key, value in metadata.items()}
    return save(_prefixed(weights, neck), metadata={'format': 'pt', **text})


def _prefixed(weights: Mapping[str, Tensor], neck: Mapping[str, Tensor] | None) -> dict[str, Tensor]:
    return {prefix + key: value.detach().cpu().contiguous().clone()
            for prefix, part in ((PREFIX, weights), (NECK, neck or {})) for key, value in part.items()}


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
        (version) and ``iteration``; None where unknown. ``averaged`` is there, and True, for an average, and ``neck``
        (config) for a pyramid that travels.
    """
    model = config.get('model') or {}
    preprocessor = model.get('data_preprocessor') or config.get('data_preprocessor') or {}
    if 'teacher' in model:
        preprocessor = {**IMAGENET_PREPROCESSOR, **preprocessor}
    neck = _neck(state)
    digest = Vocabulary.from_tensor(state[VOCABULARY]).digest if VOCABULARY in state else None
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
                **(dict(averaged=True) if averaged else {}),
                **(dict(neck=neck) if neck else {})),
            default=str))


def _neck(state: Mapping[str, Tensor]) -> dict[str, Any] | None:
    """The config of the pyramid in a pre-training's state, if it travels."""
    laterals = [value for key, value in state.items()
                if key.startswith(f'{FPN}lateral_convs.') and key.endswith('.weight') and value.dim() == 4]
    return dict(type='mmdet.FPN', in_channels=[value.shape[1] for value in laterals],
                out_channels=laterals[0].shape[0], num_outs=len(laterals)) if laterals else None


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


def metadata_of(checkpoint: Mapping[str, Any], config: Mapping[str, Any],
                state: Mapping[str, Tensor]) -> dict[str, Any]:
    """What a file says about its student: an exported one has it, of another checkpoint it is put together.

    Args:
        checkpoint (Mapping[str, Any]): As it was read.
        config (Mapping[str, Any]): In it; empty if there is none.
        state (Mapping[str, Tensor]): Its tensors.

    Returns:
        dict[str, Any]: As of :func:`student_metadata`; empty if nothing is known.
    """
    meta = checkpoint.get('meta') or {}
    if 'cfg' in meta:
        # mmengine saves the average as state_dict, and beside it what it was trained with.
        averaged = 'ema_state_dict' in checkpoint or bool(meta.get('averaged'))
        return student_metadata(config, meta.get('iter'), state, averaged)
    if 'vocabulary_digest' not in meta:
        return {}
    if meta.get('format') == 'pt':  # safetensors keeps strings only
        return {key: parse_json(value, f'{key} in the metadata of a student') for key, value in meta.items()
                if key != 'format'}
    return dict(meta)
