"""Which files below a folder are images."""

import os
from collections.abc import Iterator
from pathlib import Path

from lgd_mm.io.walk import is_file, is_hidden, walk

EXTENSIONS = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif', '.tiff', '.webp', '.gif', '.jp2', '.avif')
#: Folders of macOS' archives, of Synology, QNAP and Windows, and of file systems.
OF_FILE_MANAGERS = ('__MACOSX', '@eaDir', '@__thumb', '$RECYCLE.BIN', 'System Volume Information', 'lost+found')


def files_below(folder: Path, lost: list[str] | None = None) -> Iterator[str]:
    """Files below a folder, through links to other folders, each folder once. Hidden ones and those of file managers
    are no part of it, nor are pipes and devices, which one could wait for without end; links that lead nowhere are, to
    be told as unreadable, unless there is a list to which they are added instead."""
    for entry in walk(folder, no_images):
        if is_hidden(entry.name):
            continue
        if is_file(entry):
            yield entry.path
        elif entry.is_symlink() and not os.path.exists(entry.path):
            if lost is None:
                yield entry.path
            else:
                lost.append(entry.path)


def no_images(folder: str) -> bool:
    """Whether a folder, by its name, holds copies and thumbnails that a file manager made, or is hidden."""
    return is_hidden(folder) or folder in OF_FILE_MANAGERS
