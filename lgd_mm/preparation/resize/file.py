"""One file of the copy: a smaller image, or any other file as it is."""

import os
import shutil
from pathlib import Path
from typing import NamedTuple

from lgd_mm.datasets.loading import of_the_machine
from lgd_mm.io.files import read_plain, unfinished
from lgd_mm.io.image_files import EXTENSIONS
from lgd_mm.io.images import LARGEST
from lgd_mm.preparation.resize.image import resize_image


class Settings(NamedTuple):
    """What the copy is made of, and how."""

    source: str
    short_side: int
    quality: int


class Copied(NamedTuple):
    """What became of a file: bytes before and after; of an image that cannot be read, the reason."""

    path: str
    before: int
    after: int
    reason: str = ''


def copy_file(target: Path, settings: Settings, path: str) -> Copied:
    """Write a file whole or not at all, unless it is there.

    Args:
        target (Path): Folder of the copy.
        settings (Settings): Of the whole copy.
        path (str): Of the file in both folders.

    Returns:
        Copied: Sizes, or why the image was left out.

    Raises:
        OSError: If the machine cannot read or write.
    """
    original, copy = Path(settings.source, path), target / path
    if not copy.exists():
        part = unfinished(copy.with_name(f'{os.uname().nodename}.{os.getpid()}'))  # others may be at the same file
        content = None
        if is_image(path):
            try:
                content = resize_image(read_plain(original, LARGEST), settings.short_side, settings.quality)
            except Exception as error:  # Pillow's decoders raise whatever a broken file makes them stumble over
                if of_the_machine(error):
                    raise
                return Copied(path, 0, 0, f'{type(error).__name__}: {error}')
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            if content is None:
                shutil.copyfile(original, part)
            else:
                part.write_bytes(content)
            os.replace(part, copy)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    return Copied(path, original.stat().st_size, copy.stat().st_size)


def is_image(path: str) -> bool:
    """Whether a name ends like that of an image."""
    return path.lower().endswith(EXTENSIONS)
