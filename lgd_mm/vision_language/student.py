"""A trained model of vision and language, ready to use."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lgd_mm.datasets.vl.sequences import Sequences
from lgd_mm.engine.checks.preflight import check_weights
from lgd_mm.errors import DataError, UserError
from lgd_mm.io.finite import check_finite
from lgd_mm.io.safe_load import load_checkpoint_file, read_metadata
from lgd_mm.models.vl import VisionLanguageModel
from lgd_mm.models.vl.weights import holds_model, model_weights
from lgd_mm.safety.bounded_build import check_network
from lgd_mm.safety.config_text import parse_config
from lgd_mm.vision_language.about import ANSWERS, CAPTIONS, KIND, About, Task, TrainedOn, about_of, about_of_metadata


class Student(NamedTuple):
    """A model and what it reads.

    Attributes:
        path (Path): Its file.
        about (About): What that says.
        trained_on (TrainedOn): Of its data.
        model (VisionLanguageModel): In eval mode, on the CPU.
        sequences (Sequences): Makes its inputs.
        iteration (int, optional): Iterations trained.
    """

    path: Path
    about: About
    trained_on: TrainedOn
    model: VisionLanguageModel
    sequences: Sequences
    iteration: int | None


def is_vision_language(path: Path) -> bool:
    """Whether a file is one of a model of vision and language, or of its distillation.

    Raises:
        UserError: If it cannot be read.
    """
    metadata = read_metadata(path)
    if metadata is not None:
        return metadata.get('kind') == KIND
    return holds_model(load_checkpoint_file(path))


def load_student(path: Path, task: str | None = None) -> Student:
    """Load a trained model; what its file says is data, and names nothing that is built.

    Args:
        path (Path): A ``student.safetensors``, or a checkpoint of :class:`lgd_mm.VisionLanguageModel` or
            :class:`lgd_mm.DistillVLM`, of which the student is taken.
        task (str, optional): What it is to do, see :meth:`About.check_task`. Defaults to None: whatever it does.

    Returns:
        Student: The model.

    Raises:
        UserError: If the file cannot be used, says too little, or what no such file may say, or does something else.
    """
    checkpoint = load_checkpoint_file(path)
    state = model_weights(checkpoint, path)
    meta = checkpoint.get('meta') or {}
    about = _about(meta, path)
    if task is not None:
        about.check_task(task, path)
    if about.trained_on is None:
        raise UserError(f'{path} does not say which regions it was trained on: give a student.safetensors or a '
                        'checkpoint of a training by this version of lgd_mm')
    check_finite(state, path)
    network = dict(type='lgd_mm.VisionLanguageModel', vocabulary=_lines(state, 'vocabulary.content', path),
                   transformer=dict(vars(about.model.transformer)), task=_task(about.model.task, state, path))
    model: Any = check_network(network, 'lgd_mm', state, path)
    check_weights(model, state, path)
    model.load_state_dict(state)
    iteration = str(meta.get('iteration') or meta.get('iter') or '')
    return Student(path, about, about.trained_on, model.eval().requires_grad_(False),
                   Sequences(model.pieces, about.trained_on.lengths, about.trained_on.regions.tags),
                   int(iteration) if iteration.isdecimal() and len(iteration) < 20 else None)


def _about(meta: Mapping[str, Any], path: Path) -> About:
    """Of a student's file, or of a checkpoint with its config."""
    if 'cfg' not in meta:
        return about_of_metadata(meta, path)
    model = parse_config(meta['cfg']).get('model')
    if isinstance(model, Mapping) and model.get('type') == 'lgd_mm.DistillVLM':
        model = model.get('student')
    return about_of(model, meta.get('dataset_meta'), path)


def _task(task: Task, state: Mapping[str, Tensor], path: Path) -> dict[str, Any]:
    """The arguments that a task has."""
    if task.type == CAPTIONS:
        return dict(type=task.type, longest=task.longest, beams=task.beams)
    if task.type == ANSWERS:
        return dict(type=task.type, answers=_lines(state, 'task.names.content', path))
    return dict(type=task.type, seq2seq=task.seq2seq)


def _lines(state: Mapping[str, Tensor], key: str, path: Path) -> list[str]:
    """The text in a state, see :class:`lgd_mm.models.vl.text_buffer.TextBuffer`."""
    content = state.get(key)
    try:
        if not isinstance(content, Tensor) or content.dtype != torch.uint8 or content.dim() != 1:
            raise ValueError('it is no text')
        return content.numpy().tobytes().decode().split('\n')
    except ValueError as error:  # no UTF-8 is one, too
        raise DataError(f'{path} has no {key} that can be read ({error}): copy it again') from error
