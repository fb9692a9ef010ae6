"""Texts from outside: read from plain files, as Unicode, and refused in a sentence."""

import json
import os
import re
from typing import Any

from lgd_mm.errors import DataError, UserError
from lgd_mm.io.files import read_plain

#: Bytes that lists of names, templates and images may have: some ten million lines.
LIMIT = 2**28
#: Half of a character that UTF-16 writes as two, in JSON; whole ones are written so, too.
HALF = re.compile(rb'\\u[dD][89a-fA-F]')


def read_text(path: str | os.PathLike[str], key: str = '') -> str:
    """Read a UTF-8 file, with or without a byte-order mark, whatever its lines end with.

    Args:
        path (str | PathLike): File.
        key (str): The config key that names it, for messages. Defaults to none.

    Returns:
        str: Its content; lines end with ``\\n``.

    Raises:
        UserError: If it cannot be read, is too large or is not UTF-8.
    """
    of = f'{key}: {path}' if key else f'{path}'
    try:
        text = read_plain(path, LIMIT).decode('utf-8-sig')
    except OSError as error:
        raise _unread(of, error) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b'\n', 0, error.start) + 1
        raise DataError(f'{of} is not UTF-8 (line {line}, byte 0x{error.object[error.start]:02x}): save it as '
                        'UTF-8') from error
    if '\0' in text:  # UTF-16 without a byte-order mark decodes, into every other character
        line = text.count('\n', 0, text.index('\0')) + 1
        raise DataError(f'{of} is not UTF-8 (line {line}, byte 0x00): save it as UTF-8')
    return text.replace('\r\n', '\n').replace('\r', '\n')


def read_json(path: str | os.PathLike[str], key: str = '', limit: int | None = None) -> Any:
    """Read a JSON file.

    Args:
        path (str | PathLike): File.
        key (str): The config key that names it, for messages. Defaults to none.
        limit (int, optional): Bytes it may have. Defaults to None: any number.

    Returns:
        Any: What it holds.

    Raises:
        UserError: If it cannot be read, is no JSON, or holds what no other file could: halves of characters, numbers of
            thousands of digits, lists that are nested a thousand times.
    """
    of = f'{key}: {path}' if key else f'{path}'
    try:
        content = read_plain(path, limit)
    except OSError as error:
        raise _unread(of, error) from error
    return parse_json(content, of)


def parse_json(content: bytes | str, of: str) -> Any:
    """What JSON says.

    Args:
        content (bytes | str): The text.
        of (str): Where it comes from, for messages.

    Returns:
        Any: What it holds.

    Raises:
        UserError: See :func:`read_json`.
    """
    try:
        found = json.loads(content)
        if HALF.search(content if isinstance(content, bytes) else content.encode(errors='surrogatepass')):
            json.dumps(found, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise DataError(f'{of} is no valid JSON (line {error.lineno}: {error.msg}): correct it, or copy it again'
                        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f'{of} is no valid JSON (byte {error.start:,} is not UTF-8): save it as UTF-8') from error
    except UnicodeEncodeError as error:
        raise DataError(f'{of} holds half a character ({ascii(error.object[error.start])[1:-1]}): correct the text'
                        ) from error
    except MemoryError as error:
        raise DataError(f'{of} holds more than there is memory for: divide it, or give it to a larger machine'
                        ) from error
    except RecursionError as error:
        raise DataError(f'{of} is no valid JSON (its lists are nested too deeply): correct it, or copy it again'
                        ) from error
    except ValueError as error:  # Python's bound on the digits of a number
        raise DataError(f'{of} has a number of too many digits: correct it, or copy it again') from error
    return found


def _unread(of: str, error: OSError) -> UserError:
    """A path that leads to nothing was mistyped; anything else is of the file."""
    kind = UserError if isinstance(error, FileNotFoundError) else DataError
    return kind(f'{of} cannot be read ({error.strerror})')
