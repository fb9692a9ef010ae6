"""What an index of models may import: metafiles below its folder, which import nothing themselves."""

from pathlib import Path
from typing import Any

import yaml

from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain

#: Bytes of an index or a metafile.
LIMIT = 2**22
#: Values that an index or a metafile holds, with those that it repeats by a name (``*name``).
VALUES = 1_000_000
#: Keys that may stand for other files, in small letters.
FILES = ('import', 'models', 'collections', 'library')


def check_imports(index: Path) -> None:
    """Look at all files that reading an index reads, before it is read.

    Args:
        index (Path): ``model-index.yml``.

    Raises:
        UserError: If one cannot be read, is too large, or imports what it may not.
    """
    folder = index.resolve().parent
    for name in _named(index):
        pattern = Path(name)
        if pattern.is_absolute() or '..' in pattern.parts or '**' in pattern.parts:
            raise UserError(f'{index} imports {name}, which is not below its folder: name a metafile that is')
        for file in sorted(folder.glob(name)):
            if not file.resolve().is_relative_to(folder):
                raise UserError(f'{index} imports {name}, which leads out of its folder: copy the file there')
            if file.suffix in ('.yml', '.yaml', '.json') and _named(file):
                raise UserError(f'{index} imports {file}, which imports other files: name those in the index')


def _named(file: Path) -> list[str]:
    """Files that a file names to be read with it."""
    try:
        text = read_plain(file, LIMIT)
        if b'<<' in text:  # merged mappings are copied where they are read: ten lines may take all memory
            raise ValueError('it merges mappings (<<), which is not read')
        content = yaml.safe_load(text)
        _count(content, {})
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        reason = getattr(error, 'strerror', None) or str(error) or 'it is nested too deeply'
        raise UserError(f'{file} cannot be read ({reason}): put it right or remove it') from error
    if not isinstance(content, dict):
        return []
    named = [value for key, value in content.items() if str(key).lower() in FILES]
    lists = [value if isinstance(value, list) else [value] for value in named]
    return [item for items in lists for item in items if isinstance(item, str)]


def _count(node: Any, known: dict[int, int]) -> int:
    """Values in a node, each as often as it would be visited; the same node is counted once."""
    children = [*node.keys(), *node.values()] if isinstance(node, dict) else node if isinstance(node, list) else []
    if id(node) not in known:
        known[id(node)] = VALUES + 1  # of a node within itself
        known[id(node)] = 1 + sum(_count(child, known) for child in children)
    if known[id(node)] > VALUES:
        raise ValueError(f'it repeats itself more than {VALUES:,} times')
    return known[id(node)]
