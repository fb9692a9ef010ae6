"""What a terminal is shown: names from outside may hold what it would take for commands."""

import re
import sys
from contextlib import suppress

#: Control characters but tab and end of line, marks that turn the direction of a text, ends of lines that are none of a
#: file, and halves of characters, which no stream takes.
LINES = r'\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff'
CONTROLS = re.compile(f'[{LINES}\t\n]')
CONTROLS_IN_LINES = re.compile(f'[{LINES}]')


def printable(text: object, lines: bool = False) -> str:
    """A text without what a terminal, or who reads it, would take for something else than a text.

    Args:
        text (object): Its string is shown.
        lines (bool): Keep tabs and ends of lines. Defaults to False: it is a name or a sentence.

    Returns:
        str: Each of those characters as Python writes it in a string, such as ``\\x1b``; halves of characters, and so
        the bytes of a file's name that are no text, as the replacement character.
    """
    return (CONTROLS_IN_LINES if lines else CONTROLS).sub(_written, str(text))


def print_any_text() -> None:
    """Let standard output take any character in any locale; Python does so for standard error alone."""
    with suppress(AttributeError, ValueError):  # a stream of a notebook or a test, or a closed one
        sys.stdout.reconfigure(errors='backslashreplace')  # type: ignore[union-attr]


def _written(match: re.Match[str]) -> str:
    return '\ufffd' if '\ud800' <= match[0] <= '\udfff' else ascii(match[0])[1:-1]
