"""What a store says of its regions, and its bounds."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

#: Images whose rows share a file.
PART = 1024
#: Of what a row is.
FORMAT = 1
#: Bytes of ``regions.json``.
ABOUT = 2**24
#: Regions of an image, and numbers of a feature, that a store may have at most.
MOST, WIDTH = 4096, 65_536
#: Bytes of a file of rows.
FILE = 2**33


def fingerprint_of(about: dict[str, Any]) -> str:
    """SHA-256 of all that decides the regions of a store, in hex."""
    deciding = {key: value for key, value in about.items() if key != 'fingerprint'}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def digest_of_names(names: Sequence[str]) -> str:
    """SHA-256 of names of images in their order, in hex."""
    digest = hashlib.sha256()
    for name in names:
        digest.update(name.encode('utf-8', 'surrogateescape') + b'\0')
    return digest.hexdigest()


def check_about(about: Any) -> None:
    """Compare what is said of a store with what can be: files are looked for, and memory is taken, by it.

    Args:
        about (Any): See :class:`lgd_mm.datasets.regions.RegionStore`.

    Raises:
        ValueError: If it cannot be, or is of another version.
        KeyError: If something is not said.
        TypeError: If it is no dictionary.
    """
    if about['format'] != FORMAT:
        raise ValueError('it is of another version of lgd_mm')
    for name, largest in dict(images=2**31, width=WIDTH, most=MOST).items():
        if type(about[name]) is not int or not 0 < about[name] <= largest:
            raise ValueError(f'{name} is {str(about[name])[:40]}')
    if about['grid'] is not None and (type(about['grid']) is not int or about['grid']**2 != about['most']):
        raise ValueError(f'grid is {str(about["grid"])[:40]}')
    if min(PART, about['images']) * about['most'] * (2 * about['width'] + 20) > FILE:
        raise ValueError(f'{about["most"]} regions of width {about["width"]} are more than a file holds')
    if not isinstance(about['tags'], list) or not all(isinstance(name, str) for name in about['tags']):
        raise ValueError('tags is no list of names')
    if type(about.get('with_map', False)) is not bool:
        raise ValueError(f'with_map is {str(about["with_map"])[:40]}')
    if not isinstance(about['boxes'], str | None):
        raise ValueError(f'boxes is {str(about["boxes"])[:40]}')
    if about['fingerprint'] != fingerprint_of(about):
        raise ValueError('its fingerprint is another')
