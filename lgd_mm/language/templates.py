"""Prompt templates: the sentences a category name is put into."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError
from lgd_mm.io.options import read_value
from lgd_mm.language.categories import read_lines


def prompt_templates(source: str | Path | Sequence[str] | None = None) -> list[str]:
    """Templates with one ``{}`` each.

    Args:
        source (str | Path | Sequence[str], optional): A text file with a template on each line, or the templates, also
            as Python writes a list of them. Defaults to None: OpenAI's 80.

    Returns:
        list[str]: K templates.

    Raises:
        UserError: If there are none, or one has not exactly one ``{}``.
    """
    if source is None:
        from lgd_mm.language.openai_templates import OPENAI_TEMPLATES  # brings torch, which a file does not need
        return list(OPENAI_TEMPLATES)
    origin = 'templates'
    if isinstance(source, str) and source.lstrip().startswith('['):  # as a shell hands a list over
        source = _listed(source)
    if isinstance(source, (str, Path)):
        origin = f'templates: {source}'
        if '{}' in str(source):
            raise UserError(f'templates: {source!r} is a template, not a file: write it as a list, [{source!r}]')
        source = read_lines(Path(source), 'templates')
    if not isinstance(source, Sequence):
        raise UserError(f'templates is {source!r}: give a text file with a template on each line, or a list of them')
    if not source:
        raise UserError(f"{origin}: there is no template: give at least one, such as 'a photo of a {{}}.'")
    for template in source:
        if not isinstance(template, str) or not _one_place(template):
            raise UserError(f'{origin}: {template!r} needs exactly one {{}} where the name goes')
    return list(source)


def _one_place(template: str) -> bool:
    rest = template.replace('{}', '', 1)
    return rest != template and '{' not in rest and '}' not in rest


def _listed(source: str) -> Any:
    try:
        return read_value(source)
    except ValueError as error:
        raise UserError(f'templates: {source} is no list of templates ({error})') from error
