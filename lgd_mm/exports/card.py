"""README.md of an export: what the student is, what it costs, where it comes from, how it was checked."""

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from huggingface_hub import ModelCardData
from jinja2 import Environment, StrictUndefined

from lgd_mm.console.printable import printable
from lgd_mm.exports.figures import Figures, size
from lgd_mm.exports.targets import Written
from lgd_mm.students.network import Student

#: Names that are listed.
SHOWN = 20
#: Characters of one value that are shown.
LONGEST = 500
#: What Markdown takes for more than a text.
MARKDOWN = re.compile(r'[\\`*\[\]|!~$]|(?<!\w)_|_(?!\w)|^[#+-]')


def model_card(student: Student, target: str, written: Written, figures: Figures) -> str:
    """Write the card.

    Nothing is said that the file does not say or that was not measured.

    Args:
        student (Student): The student.
        target (str): Where it was exported to.
        written (Written): What that found.
        figures (Figures): What it costs.

    Returns:
        str: Markdown, with front matter where the target has some.
    """
    environment = Environment(  # nosec B701  # the card is Markdown, not a page
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    environment.filters['told'] = told
    template = environment.from_string(files(__package__).joinpath('card.md.jinja').read_text(encoding='utf-8'))
    return template.render(
        front_matter=ModelCardData(**written.card).to_yaml() if written.card else None,
        student=student,
        teacher=_teacher(student.metadata.get('teacher')),
        names=_names(student),
        target=target,
        written=written,
        usage=written.usage.replace('FOLDER/', '').replace('FOLDER', '.'),
        code='py' if '_base_' in written.usage else 'python',
        figures=figures,
        size=size())


def told(value: object) -> str:
    """What a file says of itself, as one line of Markdown that is nothing but text.

    Args:
        value (object): Its string is shown, as far as it is short.
    """
    try:
        text = printable(value)
    except ValueError:  # Python writes no numbers of thousands of digits
        text = 'a number of too many digits'
    text = text if len(text) <= LONGEST else f'{text[:LONGEST]}...'
    return MARKDOWN.sub(r'\\\g<0>', text).replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')


def _teacher(teacher: Any) -> str | None:
    """Which network taught, without the folders of the machine it lay on."""
    if not isinstance(teacher, Mapping):
        return None
    model = str(teacher.get('model') or teacher.get('backbone') or '')
    if not model:
        return None
    local = model.startswith('local-dir:')
    name = f'a model of open_clip from the local folder {model.rstrip("/").rsplit("/", 1)[-1]}' if local else model
    return f'{name}, weights {teacher["pretrained"]}' if teacher.get('pretrained') and not local else name


def _names(student: Student) -> str | None:
    """The category names of the pre-training as far as the file knows them."""
    if not student.names:
        digest = student.metadata.get('vocabulary_digest')
        return f'a vocabulary whose SHA-256 is {told(digest)}' if digest else None
    names = student.names
    more = f' and {len(names) - SHOWN} more' if len(names) > SHOWN else ''
    return f'{len(names)}: {", ".join(map(told, names[:SHOWN]))}{more}'
