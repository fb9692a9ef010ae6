"""The images of one part of a set, a shard or some files: found by one process, and kept until the index is whole."""

import hashlib
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lgd_mm.datasets.index.rows import BLOCK
from lgd_mm.datasets.tar_index import read_members
from lgd_mm.errors import DataError
from lgd_mm.io.files import open_plain
from lgd_mm.io.rows import write_whole
from lgd_mm.storage import is_url, join, opened, read_object
from lgd_mm.storage.objects import version_of

#: Of an image in a part: where it lies in a shard, its bytes, CRC-32 of its content, and where its name ends.
FOUND = np.dtype([('place', '<u4'), ('size', '<u4'), ('content', '<u4'), ('end', '<u8')])


class Part(NamedTuple):
    """Work for a process.

    Attributes:
        root (str): Folder of all.
        shard (str): Below the root; of files empty.
        files (tuple[str, ...]): Below the root; of a shard none.
        endings (tuple[str, ...]): Of images.
        checked (bool): Read the contents.
    """

    root: str
    shard: str
    files: tuple[str, ...]
    endings: tuple[str, ...]
    checked: bool

    def kept(self, folder: Path) -> Path:
        """Where what was found is kept, by all that decides it."""
        said = [self.root, self.shard, *self.files, *self.endings, str(self.checked)]
        if self.shard:
            said += map(str, _state(join(self.root, self.shard)))
        return folder / f'{hashlib.sha256(os.fsencode(chr(0).join(said))).hexdigest()}.npy'


class Found(NamedTuple):
    """What was found in a part, by rising names.

    Attributes:
        rows (np.ndarray): :data:`FOUND` (n, ).
        names (bytes): One behind the other, below the root or in the shard.
    """

    rows: NDArray[np.void]
    names: bytes

    def entries(self) -> Iterator[tuple[bytes, int, int, int]]:
        """Name, place, bytes and CRC-32 of each image."""
        begin = 0
        for place, size, content, end in self.rows.tolist():
            yield self.names[begin:end], place, size, content
            begin = end

    def first_and_last(self) -> tuple[bytes, bytes]:
        """Their names."""
        ends = self.rows['end']
        return self.names[:int(ends[0])], self.names[int(ends[-2]) if len(ends) > 1 else 0:]


def find(part: Part, folder: Path) -> Path:
    """Look into a part, unless an earlier call did.

    Args:
        part (Part): The part.
        folder (Path): Where its file is kept.

    Returns:
        Path: The file.

    Raises:
        UserError: If it cannot be read, or the file not be written.
    """
    file = part.kept(folder)
    if not file.exists():
        entries = sorted(_of_shard(part) if part.shard else _of_files(part))
        ends = np.cumsum([len(name) for name, *_ in entries], dtype=np.uint64)
        rows = np.zeros(len(entries), FOUND)
        for key, values in zip(('place', 'size', 'content'), zip(*(entry[1:] for entry in entries))):
            rows[key] = values
        rows['end'] = ends
        content = rows.tobytes() + b''.join(name for name, *_ in entries)
        write_whole(file, len(rows).to_bytes(8, 'little') + content + zlib.crc32(content).to_bytes(4, 'little'))
    return file


def read_found(file: Path) -> Found:
    """What :func:`find` wrote.

    Raises:
        DataError: If it is damaged.
    """
    content = file.read_bytes()
    count = int.from_bytes(content[:8], 'little')
    if zlib.crc32(content[8:-4]) != int.from_bytes(content[-4:], 'little'):
        raise DataError(f'{file} is damaged: remove it, and the same command goes on')
    end = 8 + count * FOUND.itemsize
    return Found(np.frombuffer(content, FOUND, count, 8), content[end:-4])


def _of_shard(part: Part) -> Iterator[tuple[bytes, int, int, int]]:
    path = join(part.root, part.shard)
    members = [member for member in read_members(path) if member.name.lower().endswith(part.endings)]
    with opened(path) as file:
        for member in members:
            file.seek(member.offset)
            content = file.read(member.size) if part.checked else b''
            yield os.fsencode(member.name), member.offset // BLOCK, _bounded(member.size, path), zlib.crc32(content)


def _of_files(part: Part) -> Iterator[tuple[bytes, int, int, int]]:
    for name in part.files:
        path = join(part.root, name)
        try:
            content = _content(path) if part.checked else b''
            size = len(content) if part.checked else _state(path)[0]
        except OSError:  # to be told as unreadable by the run that meets it
            content, size = b'', 0
        yield os.fsencode(name), 0, _bounded(size, path), zlib.crc32(content)


def _content(path: str) -> bytes:
    if is_url(path):
        return read_object(path)
    with open_plain(path) as file:
        return file.readall()


def _state(path: str) -> tuple[int, object]:
    """Bytes of a file, and what changes with its content."""
    if is_url(path):
        return version_of(path)
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


def _bounded(size: int, path: str) -> int:
    if size >= 2**32:
        raise DataError(f'{path} holds an image of {size:,} bytes: take it out, an index has those below 4 GB')
    return size


def parts_of(root: str, shards: Sequence[str], files: Sequence[str], endings: tuple[str, ...], checked: bool,
             together: int = 16384) -> Iterator[Part]:
    """The parts of a set.

    Args:
        root (str): Folder of all.
        shards (Sequence[str]): Below it.
        files (Sequence[str]): Below it; of shards none.
        endings (tuple[str, ...]): Of images.
        checked (bool): Read contents.
        together (int): Files of a part. Defaults to 16384.

    Yields:
        Part: Each.
    """
    for shard in shards:
        yield Part(root, shard, (), endings, checked)
    for start in range(0, len(files), together):
        yield Part(root, '', tuple(files[start:start + together]), endings, checked)
