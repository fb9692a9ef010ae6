"""The categories of a COCO file, without reading the rest of it where that is possible."""

import json
import mmap
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import Any

from lgd_mm.console.printable import shown
from lgd_mm.errors import DataError
from lgd_mm.io.files import open_plain
from lgd_mm.own_data.check_annotations import is_id, no_id
from lgd_mm.own_data.whole_ids import whole_ids

KEY = b'"categories"'
#: Of each category.
KEYS = ('id', 'name')


def read_categories(path: str | Path) -> list[dict[str, Any]]:
    """Read ``categories`` of an annotation file; half a gigabyte of annotations costs nothing.

    Args:
        path (str | Path): COCO or LVIS format.

    Returns:
        list[dict]: With ``id`` and ``name``, in the file's order, which numbers the labels.

    Raises:
        UserError: If the file has no such list, if it is empty, or if two categories share an id or a name.
    """
    with _opened(path) as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                found = _found(content)
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise DataError(f'{path} is no valid JSON ({error})') from error
        except MemoryError as error:
            raise DataError(f'{path} holds more than there is memory for: divide it, or give it to a larger machine'
                            ) from error
        except (ValueError, TypeError, KeyError, RecursionError):  # an empty file, or other JSON
            found = None
    whole_ids(dict(categories=found))
    if not isinstance(found, list):
        raise DataError(f'{path} has no "categories" list of ids and names: give an annotation file in COCO format')
    if not found:
        raise DataError(f'{path} has an empty "categories" list: add the id and the name of each')
    for index, category in enumerate(found):
        lacking = [key for key in KEYS if not isinstance(category, dict) or category.get(key) is None]
        if lacking or not isinstance(category['name'], str):
            raise DataError(f'{path} has no "{lacking[0] if lacking else "name"}" in categories[{index}]: give each '
                            'category its id, a number, and its name')
        if not is_id(category['id']):
            raise DataError(f'{path} has in categories[{index}] the id {no_id(category["id"])}')
        if not _is_text(category['name']):
            raise DataError(f'{path} has half a character in the name of categories[{index}]: correct it')
    for key in KEYS:
        counts = Counter(category[key] for category in found)
        twice = sorted(value for value, count in counts.items() if count > 1)
        if twice:
            raise DataError(f'{path} has two categories of the {key} {shown(twice[0])}: rename or join them')
    return found


@contextmanager
def _opened(path: str | Path) -> Iterator[FileIO]:
    try:
        with open_plain(path) as file:
            yield file
    except OSError as error:
        raise DataError(f'{path} cannot be read ({error.strerror})') from error


def _is_text(name: str) -> bool:
    """Whether it can be written; JSON may hold one half of a character that UTF-16 writes as two."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _found(content: mmap.mmap) -> Any:
    """What stands under the key of the outermost level; an image may have such a key, too."""
    at = content.rfind(KEY)
    try:
        text = content[at + len(KEY):].decode().lstrip(' :\n\r\t') if at >= 0 else ''
        found, end = json.JSONDecoder().raw_decode(text)
    except ValueError:
        end = None
    if end and (text[end:].split() == ['}'] or content.find(KEY) == at):  # COCO's own files end with it
        return found
    return json.loads(content[:])['categories']
