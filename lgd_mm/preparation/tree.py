"""A folder whose files are listed once."""

import os
from pathlib import Path

from lgd_mm.io.walk import is_folder, is_hidden, walk


class Tree:
    """Lists the files of a data set's folders, each folder once: the largest have more than a million.

    Args:
        root (Path): Folder with the parts of the data set.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._files: dict[str, list[str]] = {}

    def __truediv__(self, path: str) -> Path:
        return self.root / path

    def files(self, folder: str) -> list[str]:
        """Sorted paths of the files below a folder, relative to it, in each folder once; without hidden ones. A missing
        folder has none."""
        if folder not in self._files:
            path = os.path.join(self.root / folder, '')
            self._files[folder] = sorted(entry.path[len(path):] for entry in walk(path, is_hidden, strict=True)
                                         if not is_hidden(entry.name))
        return self._files[folder]

    def with_suffix(self, folder: str, suffixes: tuple[str, ...]) -> list[str]:
        """Those whose name in lower case ends in one of ``suffixes``."""
        return [path for path in self.files(folder) if path.lower().endswith(suffixes)]

    def subfolders(self, folder: str) -> list[str]:
        """Sorted names of the folders directly in a folder, without hidden ones."""
        path = self.root / folder
        if not path.is_dir():
            return []
        with os.scandir(path) as entries:
            return sorted(entry.name for entry in entries if is_folder(entry) and not is_hidden(entry.name))

    def forget(self) -> None:
        """List anew: files have been moved or written."""
        self._files.clear()
