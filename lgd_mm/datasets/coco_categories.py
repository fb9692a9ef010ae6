"""The categories of a COCO file, without reading the rest of it."""

import json
import mmap
from pathlib import Path

from lgd_mm.errors import UserError

KEY = b'"categories"'


def read_categories(path: str | Path) -> list[dict]:
    """Read ``categories`` of an annotation file; half a gigabyte of annotations costs nothing.

    Args:
        path (str | Path): COCO or LVIS format.

    Returns:
        list[dict]: With ``id`` and ``name``, in the file's order, which numbers the labels.

    Raises:
        UserError: If the file has no such list, or two categories share a name.
    """
    with Path(path).open('rb') as file:
        try:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                at = content.rfind(KEY)  # COCO's own files end with it
                text = content[at + len(KEY):].decode('utf-8', 'replace') if at >= 0 else ''
        except ValueError:  # an empty file
            text = ''
    try:
        found, _ = json.JSONDecoder().raw_decode(text.lstrip(' :\n\r\t'))
        names = [category['name'] for category in found]
    except (ValueError, TypeError, KeyError):
        raise UserError(f'{path} has no "categories" list of ids and names: give an annotation file in COCO format'
                        ) from None
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f'{path} has two categories of the name {twice[0]!r}: rename or join them')
    return found
