"""Parts of Markdown: text that is no markup, blocks of code, tables."""

import html
import re
from collections.abc import Sequence


def plain(text: str) -> str:
    """Text on one line in which no character is taken for markup."""
    return re.sub(r'([\\`*_\[\]|~])', r'\\\1', html.escape(' '.join(text.split()), quote=False))


def fenced(text: str, language: str = '') -> str:
    """A block of code; its fence is longer than any within."""
    longest = max(map(len, re.findall('`+', text)), default=0)
    fence = '`' * max(3, longest + 1)
    return f'{fence}{language}\n{text.rstrip()}\n{fence}'


def table_of(rows: Sequence[Sequence[str]]) -> str:
    """Rows below their headings, the first; all but the first column stand to the right."""
    heading, *lines = rows
    return '\n'.join(f'| {" | ".join(line)} |' for line in [heading, ['---', *['---:'] * (len(heading) - 1)], *lines])
