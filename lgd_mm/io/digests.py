"""The content of a file or a folder as one number."""

import functools
import hashlib
import os
from pathlib import Path

from lgd_mm.io.files import open_plain
from lgd_mm.io.walk import is_file, is_hidden, walk

#: Endings of photographs, of which data sets have too many to be read for each look.
PHOTOGRAPHS = ('.jpg', '.jpeg', '.bmp', '.tif', '.tiff', '.webp', '.gif', '.jp2', '.avif', '.ppm')
#: PNG files are masks or photographs. Above so many bytes, the first and last of them stand for the file.
LARGE_PNG, ENDS = 1 << 20, 1 << 16


def file_bytes(digest: 'hashlib._Hash', file: Path) -> None:
    """Add the bytes of a file.

    Args:
        digest (hashlib._Hash): Updated.
        file (Path): The file.
    """
    with open_plain(file) as content:
        while block := content.read(1 << 20):
            digest.update(block)


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    file_bytes(digest, path)
    return digest.hexdigest()


@functools.cache
def folder_digest(folder: Path) -> str:
    """SHA-256 of the names and sizes of all files below a folder, and of the content of those that are no photographs:
    annotations, tables and masks. Hidden files are left out. It is computed once in a process.

    Args:
        folder (Path): The folder.

    Returns:
        str: In hex; the same wherever the folder lies.
    """
    digest = hashlib.sha256()
    for entry in walk(folder, is_hidden):
        if is_hidden(entry.name) or not is_file(entry):
            continue
        file, size = Path(entry.path), entry.stat().st_size
        digest.update(f'{os.path.relpath(file, folder)}\0{size}\0'.encode(errors='surrogateescape'))
        ending = file.suffix.lower()
        if ending == '.png' and size > LARGE_PNG:
            with file.open('rb') as content:
                digest.update(content.read(ENDS))
                content.seek(-ENDS, os.SEEK_END)
                digest.update(content.read())
        elif ending not in PHOTOGRAPHS:
            file_bytes(digest, file)
    return digest.hexdigest()
