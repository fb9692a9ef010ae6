"""Prompt templates: the sentences a category name is put into."""

from collections.abc import Sequence
from pathlib import Path

from open_clip import OPENAI_IMAGENET_TEMPLATES

from lgd_mm.errors import UserError
from lgd_mm.language.categories import read_lines

#: The 80 templates OpenAI published for ImageNet.
OPENAI_TEMPLATES: tuple[str, ...] = tuple(template('{}') for template in OPENAI_IMAGENET_TEMPLATES)


def prompt_templates(source: str | Sequence[str] | None = None) -> list[str]:
    """Templates with one ``{}`` each.

    Args:
        source (str | Sequence[str], optional): A text file with a template on each line, or the templates. Defaults to
            None: OpenAI's 80.

    Returns:
        list[str]: K templates.

    Raises:
        UserError: If there are none, or one has not exactly one ``{}``.
    """
    if source is None:
        return list(OPENAI_TEMPLATES)
    origin = 'templates'
    if isinstance(source, str):
        origin = f'templates: {source}'
        if '{}' in source:
            raise UserError(f'templates: {source!r} is a template, not a file: write it as a list, [{source!r}]')
        source = read_lines(Path(source), 'templates')
    if not source:
        raise UserError(f"{origin}: there is no template: give at least one, such as 'a photo of a {{}}.'")
    for template in source:
        if template.count('{}') != 1 or '{' in template.replace('{}', '') or '}' in template.replace('{}', ''):
            raise UserError(f'{origin}: {template!r} needs exactly one {{}} where the name goes')
    return list(source)
