"""Files that are read: written into tars, and taken out of memory."""

import os
import tarfile
from io import BytesIO
from pathlib import Path


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Write a file into a tar."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, BytesIO(content))


def forget(folder: Path) -> None:
    """Take the files below a folder out of the page cache."""
    for path in filter(Path.is_file, folder.rglob('*')):
        with path.open('rb') as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
