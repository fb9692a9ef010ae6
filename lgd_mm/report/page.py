"""A page: one HTML file that needs nothing beside it, legible on a laptop, a phone and in the dark."""

import base64
import os
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def render_page(template: Path, **values: Any) -> str:
    """Fill a template that extends ``base.html.jinja``; everything but :class:`markupsafe.Markup` is escaped.

    Args:
        template (Path): The file.
        **values (Any): Its variables. Bytes of a WebP file become an address by the filter ``data_uri``.

    Returns:
        str: The page.
    """
    environment = Environment(
        loader=FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True)
    environment.filters['data_uri'] = lambda data: f'data:image/webp;base64,{base64.b64encode(data).decode()}'
    return environment.get_template(template.name).render(**values)


def write_whole(file: Path, text: str) -> None:
    """Write a text file whole or not at all.

    Args:
        file (Path): In a folder that exists.
        text (str): Its content.
    """
    part = file.with_name(f'{file.name}.part')
    part.write_text(text, encoding='utf-8')
    os.replace(part, file)
