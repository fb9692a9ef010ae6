"""An index on disk, read through memory that all processes of a machine share."""

import json
import mmap
import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lgd_mm.console.printable import shown
from lgd_mm.datasets.index.rows import BLOCK, FORMAT, IMAGE, IMAGE_FIELDS, SOURCE, said_checksum, shards_checksum
from lgd_mm.errors import DataError, UserError
from lgd_mm.io.files import open_plain, read_plain
from lgd_mm.io.row_file import RowFile
from lgd_mm.io.rows import about_checksum, open_rows
from lgd_mm.storage import is_url, join, local_copy
from lgd_mm.storage.objects import exists

#: Bytes of ``index.json``.
ABOUT = 2**20
#: What it says, and of which type.
KEYS = dict(format=int, kind=str, images=int, sources=int, checked=bool, digest=str, root=str, named=int)
#: Whoever damaged an index is asked to make it again.
CURE = 'make the index again with lgd-mm index'


class Indexed(NamedTuple):
    """Where an image lies.

    Attributes:
        source (str): Shard or folder, below the root.
        name (str): Of the file in the folder; of an image in a shard empty.
        offset (int): Of its first byte in the shard.
        size (int): Bytes.
        content (int, optional): CRC-32 of its content; None if that was not read.
    """

    source: str
    name: str
    offset: int
    size: int
    content: int | None


class ImageIndex:
    """A folder that :func:`lgd_mm.datasets.index.build_index` wrote: ``index.json``, ``images.npy`` with 16 bytes for
    each image, ``sources.npy`` and ``names.bin``. Opening it reads next to nothing, whatever its size.

    Args:
        folder (str | Path): The folder, or its URL in an object store, of which a copy is made here.

    Attributes:
        kind (str): ``'shards'`` or ``'folders'``.
        root (str): Folder below which they lie.
        digest (str): SHA-256 of the images' names, sizes and contents, wherever they lie.
        checked (bool): Whether contents were read, so that a damaged one is found.

    Raises:
        UserError: If it is no index, or damaged.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = os.fspath(folder)
        file = join(self.folder, 'index.json')
        if is_url(file) and not exists(file):
            raise UserError(f'{file} does not exist, so that {self.folder} is no index of images: correct its name, or '
                            f'make one of the shards or images that are there with lgd-mm index {self.folder} --out '
                            'FOLDER')
        about = _about(local_copy(file))
        self.kind, self.root, self.digest, self.checked = (about[key] for key in ('kind', 'root', 'digest', 'checked'))
        self._images, self._sources, self._named = about['images'], about['sources'], about['named']
        self._open()

    def _open(self) -> None:
        def here(name: str) -> Path:
            return Path(local_copy(join(self.folder, name)))

        # Each is opened before the next is fetched: a copy that is not open may have to make room.
        images = here('images.npy')
        try:
            self._rows = RowFile(images, IMAGE, self._images)
        except (OSError, ValueError) as error:
            reason = getattr(error, 'strerror', None) or error
            raise UserError(f'{images} cannot be read ({reason}): {CURE}') from error
        self._of_sources = open_rows(here('sources.npy'), SOURCE, self._sources, 'index', 'lgd-mm index')
        names = here('names.bin')
        try:
            with open_plain(names) as file:
                self._names = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # empty files have no memory to map
            raise UserError(f'{names} cannot be read ({error}): {CURE}') from error
        if self.kind == 'shards' and shards_checksum(self._of_sources.tobytes(), self._names[:]) != self._named:
            damaged = join(self.folder, 'names.bin')
            raise UserError(f'{damaged} is damaged, or sources.npy beside it: copy the folder again, or {CURE}')

    def __getstate__(self) -> dict[str, Any]:
        """Without what is open: a loader's worker opens its own."""
        return {key: value for key, value in self.__dict__.items()
                if key not in ('_rows', '_of_sources', '_names')}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._open()

    def __len__(self) -> int:
        return int(self._images)

    def __getitem__(self, number: int) -> Indexed:
        """Where an image lies.

        Raises:
            IndexError: If there is none of that number.
            UserError: If this part of the index is damaged, or leads out of the root.
        """
        row = self._rows[number]
        try:
            source, place, size, check = IMAGE_FIELDS.unpack(row)
            names = self._of_sources[source]
            of_source = self._text(int(names['name']))
            name = self._text(int(names['names']) + place) if self.kind == 'folders' else b''
        except (IndexError, struct.error):
            raise self._damaged(number) from None
        content = check ^ said_checksum(number, of_source, place, size, name)
        if not self.checked and content:
            raise self._damaged(number)
        if of_source.startswith(b'/') or b'/' in name or b'..' in (name, *of_source.split(b'/')):
            raise DataError(f'{self.folder} says that image {number:,} lies in {shown(os.fsdecode(of_source))}, '
                            f'outside of its root {shown(self.root)}: {CURE}')
        offset = BLOCK * place if self.kind == 'shards' else 0
        return Indexed(os.fsdecode(of_source), os.fsdecode(name), offset, size, content if self.checked else None)

    def expect(self, numbers: NDArray[np.int64]) -> None:
        """Have what is said of some images read, which are asked for soon.

        Args:
            numbers (np.ndarray): Of the images (n, ).
        """
        self._rows.expect(numbers.tolist())

    def ranges(self, numbers: NDArray[np.int64]) -> Iterator[tuple[str, int, int]]:
        """Where some images in shards lie; what is damaged is left out, and told when it is read.

        Args:
            numbers (np.ndarray): Of the images (n, ).

        Yields:
            tuple[str, int, int]: Name of the shard, first byte and bytes.
        """
        for number in numbers.tolist():
            with suppress(DataError):
                found = self[number]
                yield found.source, found.offset, found.size

    def sources(self) -> list[str]:
        """Names of all shards or folders, below the root."""
        return [os.fsdecode(self._text(int(name))) for name in self._of_sources['name']]

    def _text(self, begin: int) -> bytes:
        """What stands in the file of names from a byte to the next zero."""
        end = self._names.find(b'\0', begin) if begin < len(self._names) else -1
        if end < 0:
            raise IndexError(begin)
        return self._names[begin:end]

    def _damaged(self, number: int) -> DataError:
        at = IMAGE.itemsize * number
        file = join(self.folder, 'images.npy')
        return DataError(f'{file} is damaged, or names.bin beside it, where image {number:,} stands (byte {at:,} '
                         f'behind its head): copy the folder again, or {CURE}')


def _about(file: str) -> dict[str, Any]:
    """What is said of an index.

    Raises:
        UserError: If it cannot be read, or cannot be.
    """
    try:
        about = json.loads(read_plain(file, ABOUT))
        if about['format'] != FORMAT:
            raise ValueError('it is of another version of lgd_mm')
        odd = next((key for key, kind in KEYS.items() if type(about[key]) is not kind), None)
        if odd is not None or about['kind'] not in ('shards', 'folders') or about['images'] < 1 or about['sources'] < 1:
            raise ValueError(f'its {odd or "kind, images or sources"} cannot be')
        if about['check'] != about_checksum(about):
            raise ValueError('its checksum is another')
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        reason = getattr(error, 'strerror', None) or error
        raise UserError(f'{file} cannot be read ({reason}): give a folder that lgd-mm index wrote') from error
    return dict(about)
