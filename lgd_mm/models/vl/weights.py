"""A model of vision and language on disk, and what another one takes from it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.io.files import replacing
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.version import __version__

#: What belongs to one task, and another one learns anew.
TASK = 'task.'
#: Of a student in a checkpoint of its distillation.
STUDENT = 'student.'


def write_model(model: nn.Module, config: Mapping[str, Any], iteration: int, file: Path,
                trained_on: Mapping[str, Any] | None = None) -> None:
    """Write a :class:`lgd_mm.VisionLanguageModel` as safetensors, whole or not at all.

    Args:
        model (nn.Module): The model.
        config (Mapping[str, Any]): Its own.
        iteration (int): Iterations trained.
        file (Path): Ends with ``.safetensors``.
        trained_on (Mapping[str, Any], optional): What its data set says of itself, see
            :class:`lgd_mm.datasets.vl.dataset.RegionTexts`; without it the model is one to begin with alone. Defaults
            to None.

    Raises:
        UserError: If it cannot be written.
    """
    state = {key: value.detach().cpu().contiguous().clone() for key, value in model.state_dict().items()}
    about = dict(format='pt', kind='lgd_mm.VisionLanguageModel', model=json.dumps(config), iteration=str(iteration),
                 lgd_mm=__version__)
    if trained_on:
        about['trained_on'] = json.dumps(trained_on)
    try:
        with replacing(file) as part:
            part.write_bytes(save(state, metadata=about))
    except OSError as error:
        raise UserError(f'{file} cannot be written ({error.strerror or error}): choose a folder with disk space that '
                        'you may write to') from error


def holds_model(checkpoint: Mapping[str, Any]) -> bool:
    """Whether a checkpoint is one of a model of vision and language, or of its distillation.

    Args:
        checkpoint (Mapping[str, Any]): As it was read.
    """
    state = checkpoint.get('state_dict', checkpoint)
    return isinstance(state, Mapping) and any(str(key).endswith('transformer.words.weight') for key in state)


def model_weights(checkpoint: Mapping[str, Any], path: object) -> dict[str, Tensor]:
    """Those of a :class:`lgd_mm.VisionLanguageModel`, from its file, its checkpoint or that of its distillation.

    Args:
        checkpoint (Mapping[str, Any]): As it was read.
        path (object): Its file, for messages.

    Raises:
        UserError: If it is none.
    """
    state = checkpoint.get('state_dict', checkpoint)
    if any(key.startswith(STUDENT) for key in state):
        state = {key.removeprefix(STUDENT): value for key, value in state.items() if key.startswith(STUDENT)}
    if 'transformer.words.weight' not in state:
        raise UserError(f'{path} holds no model of vision and language: give a student.safetensors or a checkpoint of '
                        'lgd_mm.VisionLanguageModel or lgd_mm.DistillVLM')
    return dict(state)


def begin_with(model: nn.Module, path: str) -> list[str]:
    """Put weights into a model; only a head for another task may begin anew.

    Args:
        model (nn.Module): A :class:`lgd_mm.VisionLanguageModel`, changed in place.
        path (str): Of :func:`model_weights`.

    Returns:
        list[str]: Keys of the task that the file does not have.

    Raises:
        UserError: If any other weight is missing, of another shape, or not known.
    """
    state, own = model_weights(load_checkpoint_file(path), path), model.state_dict()
    taken = {key: value for key, value in state.items() if key in own or not key.startswith(TASK)}
    anew = [key for key in own if key not in taken]
    for key in (*anew, *(key for key in taken if key not in own)):
        if not key.startswith(TASK):
            raise UserError(f'{path} {"has" if key in taken else "lacks"} {key}, and model.transformer '
                            f'{"does not" if key in taken else "has it"}: give its width, depth and heads as they were '
                            'trained')
    odd = next((key for key, value in taken.items() if value.shape != own[key].shape and 'content' not in key), None)
    if odd is not None:
        raise UserError(f'{odd} in {path} is {tuple(taken[odd].shape)}, and the model wants {tuple(own[odd].shape)}: '
                        'give its vocabulary, sizes, answers and regions as they were trained')
    model.load_state_dict(taken, strict=False)
    return anew
