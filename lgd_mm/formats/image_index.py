"""The images of a data set, found by what annotations call them: often by a path of another machine."""

import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from lgd_mm.console.printable import shown
from lgd_mm.console.words import some
from lgd_mm.errors import DataError
from lgd_mm.formats.notes import Notes
from lgd_mm.io.image_files import EXTENSIONS
from lgd_mm.io.named_file import name_fault
from lgd_mm.io.walk import is_file, is_hidden, walk

DRIVE = re.compile('^[A-Za-z]:')
#: What is said of images that annotations name and that are not there.
MISSING = 'images are not there, and their labels are dropped'


class ImageIndex:
    """Images below a folder.

    Args:
        root (Path): The folder.
        notes (Notes): Is told of names that had to be looked for.
        left_out (Iterable[Path]): Files below it that are no images of the set, such as masks. Defaults to none.
    """

    def __init__(self, root: Path, notes: Notes, left_out: Iterable[Path] = ()) -> None:
        self.root = Path(os.path.abspath(root))
        self.notes = notes
        skipped = set(left_out)
        self.paths = [path for path in files_below(self.root, EXTENSIONS) if path not in skipped]
        self.by_name: dict[str, list[Path]] = {}
        for path in self.paths:
            self.by_name.setdefault(_spelt(path.name), []).append(path)
            self.by_name.setdefault(_spelt(path.stem), []).append(path)

    def find(self, name: str, source: str, near: Sequence[Path] = ()) -> Path | None:
        """Look for an image.

        Args:
            name (str): As annotations have it; with or without folders and an ending.
            source (str): What names it, for the sentences.
            near (Sequence[Path]): Folders that it is below, in the order in which they are asked. Defaults to none:
                it is looked for in the whole set.

        Returns:
            Path, optional: None if it is not there, which is noted.

        Raises:
            UserError: If its name leads out of the set, or several images have it.
        """
        plain = name.replace('\\', '/') if '\\' in name or DRIVE.match(name) else name
        here = Path(os.path.normpath(plain)) if plain.startswith('/') and '\0' not in plain else None
        if here and here.is_relative_to(self.root) and os.path.isfile(here):
            return here
        foreign = plain.startswith('/') or bool(DRIVE.match(plain))
        if foreign:
            plain = DRIVE.sub('', plain, count=1).lstrip('/')
            self.notes.add('images are named by a path of another machine, and found here by their names', name)
        for folder in () if foreign else (*near, self.root):
            path = Path(os.path.normpath(folder / plain))
            if not path.is_relative_to(self.root) or '\0' in plain or '://' in plain:
                continue
            if os.path.isfile(path):
                return path
        parts = [part for part in PurePosixPath(plain).parts if part not in ('.', '..')]
        fault = name_fault('/'.join(parts))
        if fault or (not foreign and '..' in PurePosixPath(plain).parts and self._leads_out(plain, near)):
            raise DataError(f'{source} names the image {shown(name)}, which {fault or "leads outside the data set"}: '
                            'correct or remove it')
        for start in range(len(parts)):
            there = next((path for folder in near if os.path.isfile(path := folder.joinpath(*parts[start:]))), None)
            if there and there.is_relative_to(self.root):
                return there
        return self._by_tail(parts, name, source, near)

    def knows(self, name: str) -> bool:
        """Whether some image has a name, with or without an ending."""
        return _spelt(name) in self.by_name

    def _by_tail(self, parts: Sequence[str], name: str, source: str, near: Sequence[Path]) -> Path | None:
        """The image whose path ends in most of the parts; of several, one of the folders that it should be in."""
        found = self.by_name.get(_spelt(parts[-1]), [])
        best: list[Path] = []
        most = 0
        for path in found:
            common = len(os.path.commonprefix([[*map(_spelt, path.parts[-2::-1])], [*map(_spelt, parts[-2::-1])]]))
            if not best or common > most:
                best, most = [path], common
            elif common == most:
                best.append(path)
        if len(best) > 1:
            best = next((here for folder in near if (here := [path for path in best if path.parent == folder])), best)
        if len(best) > 1:
            raise DataError(f'{source} names the image {shown(name)}, and there are '
                            f'{some([str(path.relative_to(self.root)) for path in best], 3)}: name it with its folder')
        if not best:
            self.notes.add(MISSING, name)
            return None
        return best[0]

    def _leads_out(self, plain: str, near: Sequence[Path]) -> bool:
        """Whether a name, taken from the outermost folder that it may be below, is none of the set."""
        return not Path(os.path.normpath((near or [self.root])[-1] / plain)).is_relative_to(self.root)


def files_below(folder: Path, endings: Sequence[str]) -> list[Path]:
    """Plain files below a folder whose names end so, in capitals or not, but hidden ones.

    Args:
        folder (Path): The folder.
        endings (Sequence[str]): In small letters.

    Returns:
        list[Path]: In the order of their paths.
    """
    return sorted(Path(entry.path) for entry in walk(folder, _is_beside)
                  if entry.name.lower().endswith(tuple(endings)) and not is_hidden(entry.name) and is_file(entry))


def unannotated(index: ImageIndex, used: Iterable[Path]) -> list[Path]:
    """Images that no annotation is of, and says so.

    Args:
        index (ImageIndex): All images of the set.
        used (Iterable[Path]): Those that have annotations, perhaps none but an empty list.

    Returns:
        list[Path]: In the order of their paths.
    """
    known = set(used)
    return [path for path in index.paths if path not in known]


def _is_beside(name: str) -> bool:
    return is_hidden(name) or name in ('__MACOSX', '@eaDir')


def _spelt(name: str) -> str:
    """Letters in the one of Unicode's spellings; macOS takes another than most."""
    return unicodedata.normalize('NFC', name)
