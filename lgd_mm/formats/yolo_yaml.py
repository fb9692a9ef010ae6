"""The file that describes a set of Ultralytics."""

from pathlib import Path

from lgd_mm.io.texts import read_text


def yaml_file(root: Path) -> Path | None:
    """The file that describes a set of Ultralytics.

    Args:
        root (Path): Of the set.

    Returns:
        Path, optional: ``data.yaml``, or another file with ``names`` in it.
    """
    files = sorted(path for ending in ('yaml', 'yml') for path in root.glob(f'*.{ending}')
                   if not path.name.startswith('.'))
    files.sort(key=lambda path: path.stem not in ('data', 'dataset'))
    return next((path for path in files if path.is_file() and 'names' in read_text(path)), None)
