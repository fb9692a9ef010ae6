"""What a terminal is shown: names from outside may hold what it would take for commands."""

import re
import sys
from contextlib import suppress
from reprlib import Repr
from typing import Any

#: Control characters but tab and end of line, marks that turn the direction of a text, ends of lines that are none of a
#: file, and halves of characters, which no stream takes.
LINES = r'\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff'
CONTROLS = re.compile(f'[{LINES}\t\n]')
CONTROLS_IN_LINES = re.compile(f'[{LINES}]')
#: Characters of a value or a name in a sentence; who wrote it knows it by them.
LONGEST = 200


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


def shown(value: object) -> str:
    """A value from outside as Python writes it, cut short: one number of a file may have thousands of digits, and a
    list in the place of a number a million entries.

    Args:
        value (object): Of any type and size.

    Returns:
        str: Of at most :data:`LONGEST` characters and three dots.
    """
    return shortened(_SHORT.repr(value))


def shortened(text: str) -> str:
    """The beginning of a text.

    Args:
        text (str): Of any length.

    Returns:
        str: Of at most :data:`LONGEST` characters and three dots; the text itself if it is no longer.
    """
    return text if len(text) <= LONGEST else f'{text[:LONGEST]}...'


def print_any_text() -> None:
    """Let standard output take any character in any locale, line by line also into a pipe; Python does so for standard
    error alone."""
    with suppress(AttributeError, ValueError):  # a stream of a notebook or a test, or a closed one
        sys.stdout.reconfigure(errors='backslashreplace', line_buffering=True)  # type: ignore[union-attr]


def _written(match: re.Match[str]) -> str:
    return '\ufffd' if '\ud800' <= match[0] <= '\udfff' else ascii(match[0])[1:-1]


class _Short(Repr):
    """Never writes more of a value than is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = 8
        self.maxstring = self.maxlong = self.maxother = LONGEST

    def repr_int(self, x: Any, level: int) -> str:
        try:
            return super().repr_int(x, level)
        except ValueError:  # Python's bound on the digits that it writes
            return f'a number of {x.bit_length():,} bits'


_SHORT = _Short()
