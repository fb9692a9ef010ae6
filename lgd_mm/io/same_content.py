"""Files with the same content, under whichever names: only those of the same size are read."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from lgd_mm.io.digests import file_digest


def found_among(paths: Iterable[Path], others: Iterable[Path]) -> set[Path]:
    """Files whose content some other ones have. What cannot be read is like nothing.

    Args:
        paths (Iterable[Path]): The files.
        others (Iterable[Path]): Those that they may be among.

    Returns:
        set[Path]: Some of ``paths``.
    """
    sizes = of_sizes(paths)
    theirs = of_sizes(others)
    # Images without compression all have one size: each is read once.
    known = {content_digest(other) for size in sizes.keys() & theirs for other in theirs[size]} - {None}
    return {path for size in sizes.keys() & theirs for path in sizes[size] if content_digest(path) in known}


def of_sizes(paths: Iterable[Path]) -> dict[int, list[Path]]:
    """Files by their size in bytes, without those that are not there."""
    found = defaultdict(list)
    for path in paths:
        try:
            found[path.stat().st_size].append(path)
        except OSError:  # whoever reads it tells
            continue
    return dict(found)


def content_digest(path: Path) -> str | None:
    """SHA-256 of a file, in hex; None if it cannot be read."""
    try:
        return file_digest(path)
    except OSError:
        return None
