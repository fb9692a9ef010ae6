"""The teacher's embeddings of many views, on disk: one cache serves every student and every set of names."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lgd_mm.errors import DataError, UserError
from lgd_mm.io.files import read_plain
from lgd_mm.io.rows import (
    OpenFiles,
    about_checksum,
    array_head,
    check_empty,
    check_no_links,
    in_parts,
    is_whole,
    open_rows,
    row_checksum,
    saved,
    write_whole,
)
from lgd_mm.storage import files_below, is_url, join, local_copy
from lgd_mm.teacher_cache.rows import PRECISIONS, boxes_type, embedding_of, entry_type

#: Images whose entries share a file.
PART = 16384
#: Of what the entries are; 2: their views are crops by an antialiasing filter; 3: each has a checksum; 4: and so has
#: what is said of them.
FORMAT, ENTRIES_CHECKED, WITHOUT_CHECKSUMS = 4, 3, 2
#: Files of entries in a folder, of which each is looked for: views of a hundred million images for 100 epochs.
FILES = 1_000_000
#: Width of the embeddings; CLIP's largest have 1,280.
WIDTH = 65_536
#: Bytes of ``cache.json``.
ABOUT = 2**24
#: Files that stay open; a process may open about a thousand.
OPEN = 256


class TeacherCache:
    """A folder with ``cache.json``, which says what was computed, and a file of entries for each view and part.

    An entry is the teacher's embedding of a view in float16 or int8, the view's numbers, the image it is of (another
    than asked for where that one cannot be read), and the CRC-32 of all that. After the views there may be crops, which
    are never trained on: smaller parts of the images whose embeddings say what is where. For each part, a file of boxes
    has what was cut out of each image, so that nobody looks for it in as many files. All are memory-mapped.

    Args:
        folder (str | Path): Of :meth:`create`; or the URL of a copy of it in an object store, of which files come here
            when they are needed.

    Attributes:
        about (dict): ``format``, ``teacher`` (its config), ``fingerprint``, ``embed_dim``, ``pictures`` (how many),
            ``data`` (digest), ``pipeline``, ``seed`` and ``views``; with crops, ``crops``: their ``number`` for each
            image and the ``scale`` they were drawn from; ``precision``, if it is int8; and ``check``, the CRC-32 of the
            rest.
        views (int): Of each image.
        cuts (int): Views and crops of each image.
        checked (bool): Whether rows have checksums, which those of earlier versions lack.
        entry_type (np.dtype): Of an entry, see :func:`lgd_mm.teacher_cache.rows.entry_type`.

    Raises:
        UserError: If there is no cache, or one of another format.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder: Path | str = os.fspath(folder) if is_url(folder) else Path(folder)
        file = join(self.folder, 'cache.json')
        try:
            self.about: dict[str, Any] = json.loads(read_plain(local_copy(file), ABOUT))
            _check_sizes(self.about['embed_dim'], self.about['pictures'], self.about['views'], self.about.get('crops'))
            precision = self.about.get('precision', PRECISIONS[0])
            if precision not in PRECISIONS:
                raise ValueError(f'precision is {precision!r}')
            if self.about.get('format') == FORMAT and self.about.get('check') != about_checksum(self.about):
                raise ValueError('its checksum is another')
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise UserError(f'{file} cannot be read ({error}): {self.folder} is no teacher cache; make one with python '
                            f'tools/cache_teacher.py CONFIG --views N --out {self.folder}') from error
        if self.about.get('format') not in (FORMAT, ENTRIES_CHECKED, WITHOUT_CHECKSUMS):
            raise UserError(f'{self.folder} is a teacher cache of another version of lgd_mm, whose views are cut out '
                            'otherwise, and its embeddings are of those: remove it and make it anew with python '
                            f'tools/cache_teacher.py CONFIG --views N --out {self.folder}')
        self.views: int = self.about['views']
        self.cuts: int = self.views + (self.about.get('crops') or dict(number=0))['number']
        self.checked = self.about['format'] != WITHOUT_CHECKSUMS
        self.entry_type = entry_type(self.about['embed_dim'], self.checked, precision)
        self._boxes = boxes_type(self.cuts, self.checked)
        self._close()

    def _close(self) -> None:
        self._open = OpenFiles(OPEN)

    def __getstate__(self) -> dict[str, Any]:
        """Without what is open: a loader's worker opens its own."""
        closed = TeacherCache.__new__(TeacherCache)
        closed.__dict__ = dict(self.__dict__)
        closed._close()
        return closed.__dict__

    @classmethod
    def create(cls, folder: str | Path, about: dict[str, Any]) -> 'TeacherCache':
        """Begin a cache, or go on with one of the same content.

        Args:
            folder (str | Path): Is made.
            about (dict): See :attr:`about`, without ``format`` and ``check``.

        Returns:
            TeacherCache: Without entries, or with those that are there. One without crops gets them beside its views.

        Raises:
            UserError: If the folder holds a cache of something else, other files, or a link in place of a folder of
                its own.
        """
        if is_url(folder):
            raise UserError(f'{folder} is in an object store: write the cache into a folder here, and copy that')
        file = Path(folder) / 'cache.json'
        about = dict(format=FORMAT, **about)
        if not file.exists():
            check_empty(file, 'teacher cache')
            write_about(file, about)
        cache = cls(folder)
        about['format'] = cache.about['format']  # one that lacks checksums goes on so
        asked = json.loads(json.dumps(dict(about, precision=about.get('precision'))))
        differing = [key for key, value in asked.items() if cache.about.get(key) != value]
        if differing == ['crops'] and cache.about.get('crops') is None:
            write_about(file, {**cache.about, 'crops': about['crops']})
            cache, differing = cls(folder), []
        if differing:
            raise UserError(f'{folder} is a cache of another {", ".join(differing)}: give another --out, or remove it')
        check_no_links(file.parent, ['view*', 'crops*', 'boxes'], 'cache')
        return cache

    def parts(self) -> Iterator[tuple[int, int, range]]:
        """Number of the view, of the part, and the part's images, for all files of entries in order; crops are numbered
        after the views."""
        for cut in range(self.cuts):
            for part, images in self._parts():
                yield cut, part, images

    def _parts(self) -> Iterator[tuple[int, range]]:
        return in_parts(self.about['pictures'], PART)

    def file(self, cut: int, part: int) -> Path:
        """Where a part of the entries of a view, or of a crop, lies in a folder."""
        return Path(self.folder, self._name(cut, part))

    def _name(self, cut: int | None, part: int) -> str:
        """Below the folder, the name of a part of the entries of a view or crop, or of the boxes."""
        kind = 'boxes' if cut is None else f'view{cut:04d}' if cut < self.views else f'crops{cut - self.views:04d}'
        return f'{kind}/{part:05d}.npy'

    def missing(self) -> list[tuple[int, int, range]]:
        """The parts that are not there yet, or not whole, as after an interrupted copy of the folder, which may leave
        zeros in place of what it has not copied."""
        there = self._there()
        return [(cut, part, images) for cut, part, images in self.parts()
                if not there(self._name(cut, part), self.entry_type, len(images))]

    def _there(self) -> Callable[[str, np.dtype[Any], int], bool]:
        """Whether a file of so many rows is; in an object store that is known from its size."""
        if not is_url(self.folder):
            return lambda name, row, count: is_whole(Path(self.folder, name), row, count)
        sizes = {name: version.size for name, version in files_below(str(self.folder)).items()}
        return lambda name, row, count: sizes.get(name) == len(array_head(row, count)) + count * row.itemsize

    def write(self, cut: int, part: int, entries: NDArray[Any]) -> None:
        """Add a part; it is there as a whole or not at all.

        Args:
            cut (int): View or crop.
            part (int): Of the images.
            entries (np.ndarray): Of :attr:`entry_type`; their checksums are set.

        Raises:
            UserError: If it cannot be written.
        """
        write_whole(self.file(cut, part), saved(self._with_checksums(entries)))

    def _with_checksums(self, rows: NDArray[Any]) -> NDArray[Any]:
        if self.checked:
            rows['check'] = [row_checksum(row.tobytes()) for row in rows]
        return rows

    def entry(self, cut: int, image: int) -> np.void:
        """What is known of a view, or of a crop, of an image.

        Raises:
            UserError: If it was damaged.
        """
        return self._row(cut, image)

    def embedding(self, cut: int, image: int) -> NDArray[Any]:
        """The embedding of a view or crop of an image (D, )."""
        return embedding_of(self.entry(cut, image))

    def boxes_file(self, part: int) -> Path:
        """Where the boxes of a part's images lie."""
        return Path(self.folder, self._name(None, part))

    def missing_boxes(self) -> list[tuple[int, range]]:
        """The parts whose boxes are not there yet, as in a cache of an earlier version, or not whole."""
        there = self._there()
        return [(part, images) for part, images in self._parts()
                if not there(self._name(None, part), self._boxes, len(images))]

    def write_boxes(self) -> None:
        """Add the boxes of the parts whose entries are all there.

        Raises:
            UserError: If they cannot be written.
        """
        lacking = {part for _, part, _ in self.missing()}
        for part, images in self.missing_boxes():
            if part in lacking:
                continue
            boxes = np.zeros(len(images), self._boxes)
            for cut in range(self.cuts):
                entries = self._opened(cut, part)
                boxes['crop'][:, cut], boxes['picture'][:, cut] = entries['view'][:, :4], entries['picture']
            write_whole(self.boxes_file(part), saved(self._with_checksums(boxes)))

    def boxes(self, image: int) -> np.void:
        """What was cut out for an image: of each view and crop ``crop`` (cuts, 4), its top, left, height and width,
        and ``picture`` (cuts, ), the image it is of."""
        return self._row(None, image)

    def _row(self, cut: int | None, image: int) -> np.void:
        """The row of an image among those of a view or crop, or among the boxes."""
        part, place = divmod(image, PART)
        found: np.void = self._open.rows((cut, part), lambda: self._opened(cut, part))[place]
        if self.checked and int(found['check']) != row_checksum(found.tobytes()):
            file = join(self.folder, self._name(cut, part))
            raise DataError(f'{file} is damaged at image {image:,}: remove it and call tools/cache_teacher.py again, '
                            'it makes what is missing')
        return found

    def _opened(self, cut: int | None, part: int) -> NDArray[Any]:
        """The rows of a part's file; of crops few are wanted, here and there."""
        file = Path(local_copy(join(self.folder, self._name(cut, part))))
        return open_rows(file, self._boxes if cut is None else self.entry_type, self._count(part),
                         'teacher cache', 'tools/cache_teacher.py', scattered=cut is not None and cut >= self.views)

    def _count(self, part: int) -> int:
        """Images of a part."""
        return min(PART, self.about['pictures'] - part * PART)


def write_about(file: Path, about: dict[str, Any]) -> None:
    """Write ``cache.json``, with its checksum unless it is of an earlier version."""
    if about['format'] == FORMAT:
        plain = json.loads(json.dumps(about))
        about = dict(plain, check=about_checksum(plain))
    write_whole(file, json.dumps(about, indent=1).encode())


def _check_sizes(embed_dim: Any, pictures: Any, views: Any, crops: Any) -> None:
    """Raise a ValueError for numbers that no cache has; files are looked for, and memory is taken, by them."""
    sizes = dict(embed_dim=embed_dim, pictures=pictures, views=views)
    if crops is not None:
        sizes['crops.number'], (low, high) = crops['number'], crops['scale']
        if not 0 < low <= high <= 1:
            raise ValueError(f'crops.scale is {crops["scale"]}')
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or not 0 < size < 2**31:
            raise ValueError(f'{name} is {size!r}')
    if embed_dim > WIDTH:
        raise ValueError(f'embed_dim is {embed_dim}, and {WIDTH} is the most')
    cuts = views + sizes.get('crops.number', 0)
    if cuts * -(-pictures // PART) > FILES:
        raise ValueError(f'{cuts} views of {pictures} images are more than {FILES:,} files')
