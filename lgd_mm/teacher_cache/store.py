"""The teacher's embeddings of many views, on disk: one cache serves every student and every set of names."""

import functools
import hashlib
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lgd_mm.datasets.image_folder import UnlabelledImages
from lgd_mm.datasets.views.view import View
from lgd_mm.errors import UserError
from lgd_mm.io.files import open_plain, read_plain, replacing

#: Images whose entries share a file.
PART = 16384
#: Of what the entries are; 2: their views are crops by an antialiasing filter.
FORMAT = 2
#: Files of entries in a folder, of which each is looked for: views of a hundred million images for 100 epochs.
FILES = 1_000_000
#: Width of the embeddings; CLIP's largest have 1,280.
WIDTH = 65_536
#: Bytes of ``cache.json``.
ABOUT = 2**24


class TeacherCache:
    """A folder with ``cache.json``, which says what was computed, and a file of entries for each view and part.

    An entry is the teacher's embedding of a view in float16, the view's numbers, and the image it is of (another than
    asked for where that one cannot be read). The files are memory-mapped.

    Args:
        folder (str | Path): Of :meth:`create`.

    Attributes:
        about (dict): ``format``, ``teacher`` (its config), ``fingerprint``, ``embed_dim``, ``pictures`` (how many),
            ``data`` (digest), ``pipeline``, ``seed`` and ``views``.

    Raises:
        UserError: If there is no cache, or one of another format.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        file = self.folder / 'cache.json'
        try:
            self.about: dict[str, Any] = json.loads(read_plain(file, ABOUT))
            _check_sizes(*(self.about[key] for key in ('embed_dim', 'pictures', 'views')))
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise UserError(f'{file} cannot be read ({error}): {self.folder} is no teacher cache; make one with python '
                            f'tools/cache_teacher.py CONFIG --views N --out {self.folder}') from error
        if self.about.get('format') != FORMAT:
            raise UserError(f'{self.folder} is a teacher cache of another version of lgd_mm, whose views are cut out '
                            'otherwise, and its embeddings are of those: remove it and make it anew with python '
                            f'tools/cache_teacher.py CONFIG --views N --out {self.folder}')
        self._open: tuple[int, dict[int, NDArray[Any]]] = -1, {}

    @classmethod
    def create(cls, folder: str | Path, about: dict[str, Any]) -> 'TeacherCache':
        """Begin a cache, or go on with one of the same content.

        Args:
            folder (str | Path): Is made.
            about (dict): See :attr:`about`, without ``format``.

        Returns:
            TeacherCache: Without entries, or with those that are there.

        Raises:
            UserError: If the folder holds a cache of something else, other files, or a link in place of a folder of
                its own.
        """
        file = Path(folder) / 'cache.json'
        about = dict(format=FORMAT, **about)
        if not file.exists():
            other = next((path for path in Path(folder).glob('*') if not path.name.startswith('.')), None)
            if other is not None:
                raise UserError(f'{folder} holds {other.name} but no cache.json, so it is no teacher cache: give '
                                'another --out')
            write_whole(file, json.dumps(about, indent=1).encode())
        cache = cls(folder)
        differing = [key for key, value in about.items() if cache.about.get(key) != json.loads(json.dumps(value))]
        if differing:
            raise UserError(f'{folder} is a cache of another {", ".join(differing)}: give another --out, or remove it')
        link = next((path for path in cache.folder.glob('view*') if path.is_symlink()), None)
        if link is not None:
            raise UserError(f'{link} is a link, and a cache writes into no other folder: remove it, or give another '
                            '--out')
        return cache

    def parts(self) -> Iterator[tuple[int, int, range]]:
        """Number of the view, of the part, and the part's images, for all files in order."""
        images = range(self.about['pictures'])
        for view in range(self.about['views']):
            for part in range(0, len(images), PART):
                yield view, part // PART, images[part:part + PART]

    def file(self, view: int, part: int) -> Path:
        """Where a part of a view's entries lies."""
        return self.folder / f'view{view:04d}' / f'{part:05d}.npy'

    def missing(self) -> list[tuple[int, int, range]]:
        """The parts that are not there yet, or not whole, as after an interrupted copy of the folder, which may leave
        zeros in place of what it has not copied."""
        return [(view, part, images) for view, part, images in self.parts()
                if not _is_whole(self.file(view, part), entry_type(self.about['embed_dim']), len(images))]

    def write(self, view: int, part: int, entries: NDArray[Any]) -> None:
        """Add a part; it is there as a whole or not at all.

        Raises:
            UserError: If it cannot be written.
        """
        write_whole(self.file(view, part), _saved(entries))

    def entry(self, view: int, image: int) -> np.void:
        """What is known of a view of an image."""
        if self._open[0] != view:
            self._open = view, {}  # an epoch needs one view: no more files stay open
        part, place = divmod(image, PART)
        files = self._open[1]
        if part not in files:
            files[part] = self._read(view, part)
        return files[part][place]

    def _read(self, view: int, part: int) -> NDArray[Any]:
        """The entries of a file, not read yet.

        Raises:
            UserError: If it is gone or holds something else.
        """
        file, count = self.file(view, part), min(PART, self.about['pictures'] - part * PART)
        try:
            entries: NDArray[Any] = np.load(file, mmap_mode='r')
            if (entries.dtype, entries.shape) != (entry_type(self.about['embed_dim']), (count, )):
                raise ValueError('it holds something else')
        except MemoryError:
            raise
        except Exception as error:  # NumPy stumbles over a damaged head in any way, and may advise to load it unsafely
            raise UserError(f'{file} is no file of this teacher cache: remove it and call '
                            'tools/cache_teacher.py again') from error
        return entries


def _check_sizes(embed_dim: Any, pictures: Any, views: Any) -> None:
    """Raise a ValueError for numbers that no cache has; files are looked for, and memory is taken, by them."""
    sizes = dict(embed_dim=embed_dim, pictures=pictures, views=views)
    for name, size in sizes.items():
        if not isinstance(size, int) or isinstance(size, bool) or not 0 < size < 2**31:
            raise ValueError(f'{name} is {size!r}')
    if embed_dim > WIDTH:
        raise ValueError(f'embed_dim is {embed_dim}, and {WIDTH} is the most')
    if views * -(-pictures // PART) > FILES:
        raise ValueError(f'{views} views of {pictures} images are more than {FILES:,} files')


def entry_type(embed_dim: int) -> np.dtype[Any]:
    """Of an entry with embeddings of that width D: 2 D + 56 bytes."""
    return np.dtype([('embedding', '<f2', (embed_dim, )), ('view', '<f4', (len(View._fields), )), ('picture', '<i8')])


def _saved(entries: NDArray[Any]) -> memoryview:
    """What ``np.save`` writes."""
    content = io.BytesIO()
    np.save(content, entries)
    return content.getbuffer()


def write_whole(file: Path, content: bytes | memoryview) -> None:
    """Write a file, and its folder, so that it is there as a whole or not at all.

    Raises:
        UserError: If it cannot be written.
    """
    try:
        with replacing(file) as part:
            part.write_bytes(content)
    except OSError as error:
        raise UserError(f'{file} cannot be written ({error.strerror or error}): free disk space or correct the '
                        'permissions there; the same command goes on') from error


def _is_whole(file: Path, entry: np.dtype[Any], count: int) -> bool:
    """Whether a file begins and ends as one of that many entries does: no embedding is all zeros."""
    try:
        with open_plain(file) as stream:
            head = stream.read(len(_head(entry, count)))
            stream.seek(-entry.itemsize, os.SEEK_END)
            last = np.frombuffer(stream.read(entry.itemsize), entry)
            size = stream.tell()
    except (OSError, ValueError):  # it is not there, or too short
        return False
    return head == _head(entry, count) and size == len(head) + count * entry.itemsize and bool(last['embedding'].any())


@functools.cache
def _head(entry: np.dtype[Any], count: int) -> bytes:
    """What ``np.save`` writes in front of that many entries."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        content, dict(descr=np.lib.format.dtype_to_descr(entry), fortran_order=False, shape=(count, )))
    return content.getvalue()


def data_digest(images: UnlabelledImages) -> str:
    """SHA-256 of the images' names and sizes, wherever their folder lies.

    Args:
        images (UnlabelledImages): The data set.

    Returns:
        str: In hex.
    """
    digest = hashlib.sha256()
    root = images.data_prefix['img_path']
    for index in range(len(images)):
        path = images.get_data_info(index)['img_path']
        digest.update(f'{os.path.relpath(path, root)}\0{os.path.getsize(path)}\n'.encode())
    return digest.hexdigest()
