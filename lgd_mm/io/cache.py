"""Where what was found once is kept."""

import os
from pathlib import Path


def cache_folder(kind: str) -> Path:
    """A folder below ``$LGD_CACHE_DIR``, by default ``~/.cache/lgd_mm``; it may not exist.

    Args:
        kind (str): What is kept in it.

    Returns:
        Path: The folder.
    """
    return Path(os.environ.get('LGD_CACHE_DIR') or '~/.cache/lgd_mm').expanduser() / kind
