"""The images and videos that somebody gives, by the names under which their predictions are kept."""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lgd_mm.console.progress import still
from lgd_mm.errors import UserError
from lgd_mm.io.image_files import EXTENSIONS, files_below
from lgd_mm.prediction.asked import check_given

#: Endings of files that are videos.
VIDEOS = ('.mp4', '.avi', '.mov', '.mkv', '.webm')


@dataclass(frozen=True)
class Sources:
    """What is predicted.

    Attributes:
        root (str): Where the names begin.
        images (list[str]): Names of images below it.
        videos (list[str]): Names of videos below it.
    """

    root: str
    images: list[str]
    videos: list[str]

    def path(self, name: str) -> str:
        """The file of a name."""
        return os.path.join(self.root, name)

    def stems(self) -> dict[str, str]:
        """For each image the name that its own files have, without an ending: it is kept where another image has the
        same without it, or is called that."""
        stems = {name: os.path.splitext(name)[0] for name in self.images}
        count = Counter([*stems.values(), *stems])
        return {name: name if count[stem] > 1 else stem for name, stem in stems.items()}


def find_sources(given: str | Path | Sequence[str | Path]) -> Sources:
    """Look for images and videos.

    Args:
        given (str | Path | Sequence[str | Path]): A folder, nested or flat, a file, or several of them.

    Returns:
        Sources: In the order of the arguments, those of a folder in that of their paths, each once.

    Raises:
        UserError: If one is missing, or there is no image or video at all.
    """
    paths = [os.fspath(path) for path in ([given] if isinstance(given, (str, Path)) else given)]
    check_given(paths)
    files: dict[str, None] = {}
    for path in paths:
        if os.path.isdir(path):
            with still(f'looking for images and videos in {path}'):
                files |= dict.fromkeys(sorted(
                    file for file in files_below(Path(path)) if file.lower().endswith(EXTENSIONS + VIDEOS)))
        else:
            files[os.path.normpath(path)] = None
    if not files:
        raise UserError(f'images: {", ".join(paths)} holds no image ({", ".join(EXTENSIONS)}) and no video '
                        f'({", ".join(VIDEOS)}): give a folder with images')
    alone = len(paths) == 1 and os.path.isdir(paths[0])
    root = paths[0] if alone else os.path.commonpath([os.path.dirname(os.path.abspath(file)) for file in files])
    names = {os.path.relpath(file, root): None for file in files}
    return Sources(root, [name for name in names if not is_video(name)], [name for name in names if is_video(name)])


def is_video(name: str) -> bool:
    """Whether a file is one, by its name."""
    return name.lower().endswith(VIDEOS)
