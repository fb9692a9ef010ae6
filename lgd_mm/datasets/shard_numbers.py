"""What the names of shards tell before any is read."""

import re
from collections.abc import Iterable
from itertools import count

from lgd_mm.errors import UserError

#: Endings of tars that are compressed.
COMPRESSED = ('.tar.gz', '.tgz', '.tar.bz2', '.tar.xz', '.tar.zst')


def check_uncompressed(paths: Iterable[str]) -> None:
    """See that none of the files among which shards are looked for is a compressed one, which would be left out.

    Args:
        paths (Iterable[str]): Of the files.

    Raises:
        UserError: If one is.
    """
    compressed = [path for path in paths if path.lower().endswith(COMPRESSED)]
    if compressed:
        raise UserError(f'{compressed[0]} is compressed, and {len(compressed) - 1} more: images are read out of plain '
                        'tars, unpack it (gunzip), or take it out')


def check_numbers(shards: Iterable[str]) -> None:
    """See that shards numbered from 0 have no gap.

    Args:
        shards (Iterable[str]): Their paths.

    Raises:
        UserError: If one is missing.
    """
    numbered: dict[str, dict[int, str]] = {}
    for shard in shards:
        match = re.fullmatch(r'(.*?)(\d+)\.tar', shard)
        if match:
            numbered.setdefault(match[1], {})[int(match[2])] = match[2]
    for start, numbers in numbered.items():
        missing = max(numbers) + 1 - len(numbers)
        if missing and 0 in numbers:
            first = next(number for number in count() if number not in numbers)
            name = f'{start}{first:0{len(numbers[0])}}.tar'
            raise UserError(f'shard {name} is missing, of {missing:,} that should be there: copy them, or number '
                            'the shards from 0 without a gap')
