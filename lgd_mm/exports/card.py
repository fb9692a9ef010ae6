"""README.md of an export: what the student is, what it costs, where it comes from, how it was checked."""

from importlib.resources import files
from typing import Any

from huggingface_hub import ModelCardData
from jinja2 import Environment, StrictUndefined

from lgd_mm.exports.figures import Figures, size
from lgd_mm.exports.targets import Written
from lgd_mm.students.deployed import ExportedStudent

#: Names that are listed.
SHOWN = 20


def model_card(student: ExportedStudent, target: str, written: Written, figures: Figures) -> str:
    """Write the card.

    Nothing is said that the file does not say or that was not measured.

    Args:
        student (ExportedStudent): The student.
        target (str): Where it was exported to.
        written (Written): What that found.
        figures (Figures): What it costs.

    Returns:
        str: Markdown, with front matter where the target has some.
    """
    environment = Environment(  # nosec B701  # the card is Markdown, not a page
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    template = environment.from_string(files(__package__).joinpath('card.md.jinja').read_text(encoding='utf-8'))
    return template.render(
        front_matter=ModelCardData(**written.card).to_yaml() if written.card else None,
        student=student,
        teacher=_teacher(student.metadata.get('teacher') or {}),
        names=_names(student),
        target=target,
        written=written,
        usage=written.usage.replace('FOLDER/', '').replace('FOLDER', '.'),
        code='py' if '_base_' in written.usage else 'python',
        figures=figures,
        size=size())


def _teacher(teacher: dict[str, Any]) -> str | None:
    """Which network taught, without the folders of the machine it lay on."""
    model = str(teacher.get('model') or teacher.get('backbone') or '')
    if not model:
        return None
    local = model.startswith('local-dir:')
    name = f'a model of open_clip from the local folder {model.rstrip("/").rsplit("/", 1)[-1]}' if local else model
    return f'{name}, weights {teacher["pretrained"]}' if teacher.get('pretrained') and not local else name


def _names(student: ExportedStudent) -> str | None:
    """The category names of the pre-training as far as the file knows them."""
    if not student.names:
        digest = student.metadata.get('vocabulary_digest')
        return f'a vocabulary whose SHA-256 is `{digest}`' if digest else None
    names = student.names
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return f'{len(names)}: {", ".join(names[:SHOWN])}{more}'
