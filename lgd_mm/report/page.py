"""A page: one HTML file that needs nothing beside it, legible on a laptop, a phone and in the dark."""

import base64
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
