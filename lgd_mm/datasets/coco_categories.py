"""The categories of a COCO file, without reading the rest of it where that is possible."""

import json
import mmap
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError

KEY = b'"categories"'
FIELDS: dict[str, type] = dict(id=int, name=str)


def read_categories(path: str | Path) -> list[dict[str, Any]]:
    """Read ``categories`` of an annotation file; half a gigabyte of annotations costs nothing.

    Args:
        path (str | Path): COCO or LVIS format.

    Returns:
        list[dict]: With ``id`` and ``name``, in the file's order, which numbers the labels.

    Raises:
        UserError: If the file has no such list, if it is empty, or if two categories share an id or a name.
    """
    with Path(path).open('rb') as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                found = _found(content)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise UserError(f'{path} is no valid JSON ({error})') from error
        except (ValueError, TypeError, KeyError, RecursionError):  # an empty file, or other JSON
            found = None
    if not isinstance(found, list):
        raise UserError(f'{path} has no "categories" list of ids and names: give an annotation file in COCO format')
    if not found:
        raise UserError(f'{path} has an empty "categories" list: add the id and the name of each')
    for key, kind in FIELDS.items():
        for index, category in enumerate(found):
            if not isinstance(category, dict) or not isinstance(category.get(key), kind):
                raise UserError(f'{path} has no "{key}" in categories[{index}]: give each category its id, a number, '
                                'and its name')
        values = [category[key] for category in found]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise UserError(f'{path} has two categories of the {key} {twice[0]!r}: rename or join them')
    return found


def _found(content: mmap.mmap) -> Any:
    """What stands under the key of the outermost level; a picture may have such a key, too."""
    at = content.rfind(KEY)
    try:
        text = content[at + len(KEY):].decode().lstrip(' :\n\r\t') if at >= 0 else ''
        found, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        end = None
    if end and (text[end:].split() == ['}'] or content.find(KEY) == at):  # COCO's own files end with it
        return found
    return json.loads(content[:])['categories']
