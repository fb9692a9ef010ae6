"""What an index of models may import: metafiles below its folder, which import nothing themselves."""

from pathlib import Path

import yaml

from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.io.yaml_values import count_values, without_merges

#: Bytes of an index or a metafile.
LIMIT = 2**22
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
        content = yaml.safe_load(without_merges(read_plain(file, LIMIT)))
        count_values(content)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        reason = getattr(error, 'strerror', None) or str(error) or 'it is nested too deeply'
        raise UserError(f'{file} cannot be read ({reason}): put it right or remove it') from error
    if not isinstance(content, dict):
        return []
    named = [value for key, value in content.items() if str(key).lower() in FILES]
    lists = [value if isinstance(value, list) else [value] for value in named]
    return [item for items in lists for item in items if isinstance(item, str)]
