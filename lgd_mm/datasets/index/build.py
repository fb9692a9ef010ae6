"""Finding where each image of a set lies, by many processes, and writing it down in the order of the names."""

import hashlib
import heapq
import json
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from lgd_mm import storage
from lgd_mm.console.printable import shown
from lgd_mm.console.progress import track
from lgd_mm.datasets.index.parts import find, parts_of, read_found
from lgd_mm.datasets.index.rows import FORMAT, IMAGE, SOURCE, said_checksum, shards_checksum
from lgd_mm.datasets.shard_numbers import COMPRESSED, check_numbers, check_uncompressed
from lgd_mm.errors import UserError
from lgd_mm.io.files import remove
from lgd_mm.io.image_files import EXTENSIONS, files_below
from lgd_mm.io.new_folder import new_folder
from lgd_mm.io.rows import about_checksum, array_head
from lgd_mm.storage import is_url, join

#: An image of a set: its name, number of its part, place, bytes, CRC-32 of its content.
Entry = tuple[bytes, int, int, int, int]
#: Rows that are written together.
TOGETHER = 65_536
#: Bytes behind which the names of a folder's images begin anew: their places have 32 bits.
FARTHEST = 2**31


def build_index(images: str | Path, out: str | Path, jobs: int = 1, checked: bool = True) -> int:
    """Write an index of all images below a folder, or of those in the shards (``*.tar``) below it, in the order of
    their names. Stopped at any moment, the same call goes on.

    Args:
        images (str | Path): The folder, or its URL.
        out (str | Path): Of the index; must not exist.
        jobs (int): Processes. Defaults to 1.
        checked (bool): Read all contents, so that one that was damaged later is found when it is read. Defaults to
            True.

    Returns:
        int: Images.

    Raises:
        UserError: If there is no image, one cannot be read, or the index cannot be written.
    """
    if is_url(out):
        raise UserError(f'{out} is in an object store: write the index into a folder here, and copy that')
    root, out = os.fspath(images) if is_url(images) else os.path.abspath(images), Path(out)
    if out.exists():
        raise UserError(f'{out} exists already: give another --out, or remove it')
    below = storage.files_below(root) if is_url(root) else (os.path.relpath(path, root) for path in files_below(
        Path(root)))
    names = [name for name in below if name.lower().endswith((*EXTENSIONS, '.tar', *COMPRESSED))]
    odd = next((name for name in names if {'', '..'} & set(name.split('/'))), None)  # a store takes any name
    if odd is not None:
        raise UserError(f'{root} holds {shown(odd)}, which no folder could: give that object a name without // and ..')
    shards = sorted(name for name in names if name.endswith('.tar'))
    files = [name for name in names if name.lower().endswith(EXTENSIONS)]
    if shards or not files:
        check_uncompressed(join(root, name) for name in names)
    check_numbers(shards)
    kept = out.with_name(f'{out.name}.parts')
    parts = list(parts_of(root, shards, () if shards else files, EXTENSIONS, checked))
    if not parts:
        raise UserError(f'{root} holds no image ({", ".join(EXTENSIONS)}) and no shard (*.tar): give a folder that '
                        'does')
    kept.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        run = map if jobs == 1 or len(parts) == 1 else stack.enter_context(
            ProcessPoolExecutor(jobs, multiprocessing.get_context('spawn'))).map
        found = list(track(run(partial(find, folder=kept), parts), 'looking for images', len(parts)))
    try:
        with new_folder(out) as folder:
            count = _write(folder, root, [part.shard for part in parts], found, checked)
    except OSError as error:
        if out.exists():
            raise UserError(f'{out} was made by another process meanwhile, and is left as it is: use it, or give '
                            'another --out') from error
        raise
    finally:
        if out.exists():
            remove(kept)
    return count


def _write(folder: Path, root: str, shards: list[str], found: list[Path], checked: bool) -> int:
    """The files of an index."""
    spans = _spans(found)
    total = sum(span.images for span in spans)
    if not total:
        raise UserError(f'the {len(shards):,} shards in {root} hold no image ({", ".join(EXTENSIONS)})')
    in_shards, digest = bool(shards[0]), hashlib.sha256()
    rows = np.zeros(TOGETHER, IMAGE)
    with (folder / 'images.npy').open('wb') as file, (folder / 'names.bin').open('wb') as names:
        sources = Sources(names)
        for shard in shards if in_shards else ():
            sources.add(os.fsencode(shard))
        file.write(array_head(IMAGE, total))
        for number, (name, part, place, size, content) in enumerate(track(
                in_order(found, spans), 'writing the index', total)):
            digest.update(b'%b\0%d\0%d\n' % (name, size, content))
            if in_shards:
                source, said = part, said_checksum(number, os.fsencode(shards[part]), place, size, b'')
            else:
                within, base = os.path.split(name)
                source, place = sources.of_file(within, base)
                said = said_checksum(number, within, place, size, base)
            rows[number % TOGETHER] = (source, place, size, said ^ content)
            if (number + 1) % TOGETHER == 0 or number + 1 == total:
                file.write(rows[:number % TOGETHER + 1].tobytes())
    begins = np.array(sources.begins, SOURCE)
    with (folder / 'sources.npy').open('wb') as file:
        np.save(file, begins)
    about = dict(format=FORMAT, kind='shards' if in_shards else 'folders', images=total, sources=len(sources.begins),
                 checked=checked, digest=digest.hexdigest(), root=root,
                 named=shards_checksum(begins.tobytes(), (folder / 'names.bin').read_bytes()) if in_shards else 0)
    (folder / 'index.json').write_text(json.dumps(dict(about, check=about_checksum(about)), indent=1))
    return total


class Sources:
    """Names of shards or folders as they are written, those of a folder's images behind its own. A folder that comes
    again behind another is another source: ``a/b/1.jpg`` stands between ``a/a.jpg`` and ``a/c.jpg``.

    Args:
        names (BinaryIO): Where they are written.
    """

    def __init__(self, names: BinaryIO) -> None:
        self.begins: list[tuple[int, int]] = []
        self._names, self._last = names, b'\0'

    def add(self, name: bytes) -> None:
        """The next source."""
        begin = self._names.tell()
        self._names.write(name + b'\0')
        self.begins.append((begin, self._names.tell()))
        self._last = name

    def of_file(self, folder: bytes, base: bytes) -> tuple[int, int]:
        """Number of a file's source, and place of the file's own name there."""
        if folder != self._last or self._names.tell() - self.begins[-1][1] > FARTHEST:
            self.add(folder)
        place = self._names.tell() - self.begins[-1][1]
        self._names.write(base + b'\0')
        return len(self.begins) - 1, place


class Span(NamedTuple):
    """The names of a part.

    Attributes:
        first (bytes): The first.
        last (bytes): The last.
        part (int): Its number.
        images (int): How many.
    """

    first: bytes
    last: bytes
    part: int
    images: int


def _spans(found: list[Path]) -> list[Span]:
    """Those of all parts with images."""
    parts = ((part, read_found(file)) for part, file in enumerate(found))
    return [Span(*each.first_and_last(), part, len(each.rows)) for part, each in parts if len(each.rows)]


def in_order(found: list[Path], spans: list[Span]) -> Iterator[Entry]:
    """The images of all parts, by rising names.

    Parts of shards that were written in the order of the names follow each other, and are read one by one; parts that
    overlap are read together.

    Args:
        found (list[Path]): Files of :func:`lgd_mm.datasets.index.parts.find`.
        spans (list[Span]): Of those with images.

    Yields:
        Entry: Each image.
    """
    together: list[int] = []
    reached = b''
    for span in sorted(spans):
        if together and span.first > reached:
            yield from _merged(found, together)
            together = []
        together.append(span.part)
        reached = max(reached, span.last)
    yield from _merged(found, together)


def _merged(found: list[Path], parts: list[int]) -> Iterator[Entry]:
    def entries(part: int) -> Iterator[Entry]:
        return ((name, part, place, size, content) for name, place, size, content in read_found(found[part]).entries())

    return heapq.merge(*map(entries, parts))
