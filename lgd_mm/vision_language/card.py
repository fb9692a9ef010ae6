"""README.md of the export of a student of vision and language."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData
from jinja2 import Environment, StrictUndefined

from lgd_mm.exports.card import SHOWN, told
from lgd_mm.exports.report import Difference
from lgd_mm.vision_language.about import ANSWERS, CAPTIONS
from lgd_mm.vision_language.student import Student

USAGE = """import numpy as np
from predict import Student
student = Student()
with np.load('regions.npz') as regions:
    print({call})"""
CAPTION, ANSWER = 'student.caption(**regions)', "student.answers('is it?', **regions)"
COMMANDS = {CAPTIONS: 'lgd-mm caption student.safetensors IMAGES --detector DETECTOR',
            ANSWERS: 'lgd-mm ask student.safetensors IMAGE "is it?" --detector DETECTOR'}
#: As the hub calls what a student does.
PIPELINES = {CAPTIONS: 'image-to-text', ANSWERS: 'visual-question-answering'}


def usage(student: Student, target: str) -> str:
    """Code to be run in the folder, or a command."""
    task = student.about.model.task.type
    if target == 'onnx':
        return USAGE.format(call=CAPTION if task == CAPTIONS else ANSWER)
    return COMMANDS.get(task, "model = dict(weights='student.safetensors')")


def card(student: Student, target: str, file: Path, library: str, difference: Difference, tolerance: float) -> str:
    """Write the card; nothing is said that the file does not say or that was not measured.

    Args:
        student (Student): The student.
        target (str): Where it was exported to.
        file (Path): Its weights, as they were written.
        library (str): What ran it.
        difference (Difference): From the student itself.
        tolerance (float): What that may be at most.

    Returns:
        str: Markdown with front matter.
    """
    environment = Environment(  # nosec B701  # the card is Markdown, not a page
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.filters['told'] = told
    template = environment.from_string(files(__package__).joinpath('card.md.jinja').read_text(encoding='utf-8'))
    task, model = student.about.model.task, student.model
    names: list[str] = model.task.names.lines if task.type == ANSWERS else []
    seen = student.trained_on.regions
    metadata: dict[str, Any] = dict(library_name='lgd_mm', tags=[target, 'lgd_mm', 'vision-language'])
    if task.type in PIPELINES:
        metadata['pipeline_tag'] = PIPELINES[task.type]
    return template.render(
        front_matter=ModelCardData(**metadata).to_yaml(), does=task.does, captions=task.type == CAPTIONS,
        transformer=student.about.model.transformer, target=target, usage=usage(student, target),
        language='python' if target == 'onnx' or task.type not in COMMANDS else 'bash',
        parameters=sum(each.numel() for each in model.parameters()),
        file=file.name, bytes=file.stat().st_size,
        words=len(model.pieces), answers=names, shown=_some(names), tags=_some(seen.tags), seen=seen,
        lengths=student.trained_on.lengths, iteration=student.iteration or 'not recorded', library=library,
        difference=difference, tolerance=tolerance)


def _some(names: list[str]) -> str:
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return ', '.join(map(told, names[:SHOWN])) + more
