"""Names of files that lists and annotations give: each lies below a folder, or is told before the disk is asked."""

import os
from pathlib import PurePosixPath

#: Bytes of a file's name, and of a path, on Linux and macOS.
LONGEST_NAME, LONGEST_PATH = 255, 4096


def name_fault(name: str) -> str | None:
    """Why a name is none of a file below a folder.

    Args:
        name (str): With folders before it, perhaps; of whoever wrote the file.

    Returns:
        str, optional: Behind the words "its name", it makes a sentence. None if it may be one.
    """
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return 'is no text'
    parts = PurePosixPath(name).parts
    if os.path.isabs(name) or '..' in parts or '\0' in name or '://' in name:
        return 'leads outside the data set'
    if not parts:
        return 'is that of a folder'
    if length > LONGEST_PATH or any(len(part.encode()) > LONGEST_NAME for part in parts):
        return 'is longer than that of any file'
    return None
