"""Unpacking what the user downloaded: checked, safely, and going on after any stop."""

import hashlib
import os
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, NamedTuple

from tqdm import tqdm

from lgd_mm.errors import UserError
from lgd_mm.io.cache import cache_folder
from lgd_mm.io.files import read_plain, unfinished, write_text
from lgd_mm.io.tar_heads import BoundedTarInfo
from lgd_mm.preparation.links import refuse_links
from lgd_mm.preparation.spec import Archive

CHUNK = 1 << 22


class Member(NamedTuple):
    """A plain file in an archive: path, bytes, and how to open it."""

    name: str
    size: int
    open: Callable[[], IO[bytes] | None]


def find_archive(archive: Archive, folders: Iterable[Path]) -> Path | None:
    """The first of the folders' files with the archive's name."""
    return next((folder / archive.name for folder in folders if (folder / archive.name).is_file()), None)


def verify(archive: Archive, path: Path) -> None:
    """Compare a file's MD5 with the published one.

    A sum once found right is remembered, for that size and time: the largest archive takes a quarter of an hour to
    read. This lies in the user's cache: what lies beside an archive comes from where the archive comes from.

    Args:
        archive (Archive): Has the published sum, or none.
        path (Path): The file.

    Raises:
        UserError: If it differs.
    """
    if archive.md5 is None:
        return
    status, place = path.stat(), os.path.realpath(path)
    memory = cache_folder('verified') / f'{hashlib.sha256(os.fsencode(place)).hexdigest()}.txt'
    entry = f'{archive.md5} {status.st_size} {status.st_mtime_ns}'
    with suppress(OSError):  # nothing yet
        if read_plain(memory, 2 * len(entry)) == entry.encode():
            return
    found = hashlib.md5(usedforsecurity=False)
    with open(path, 'rb') as file, _progress(f'checking {archive.name}', status.st_size) as bar:
        while chunk := file.read(CHUNK):
            found.update(chunk)
            bar.update(len(chunk))
    if found.hexdigest() != archive.md5:
        raise UserError(f'{path} is damaged or incomplete, its MD5 is {found.hexdigest()} instead of {archive.md5}: '
                        f'download it again from {archive.url}')
    with suppress(OSError):  # without disk space or permission, it is read again next time
        write_text(memory, entry)


def unpack(archive: Archive, path: Path, tree: Path, moved: Container[str] = ()) -> int:
    """Write those members that are not there yet; each appears whole or not at all.

    Only plain files whose path matches ``archive.members`` are written, each to the place that ``archive.target``
    makes of it: no link, no device and no ``..`` of an archive can have an effect.

    Args:
        archive (Archive): Which members go where.
        path (Path): The file.
        tree (Path): Folder to unpack into.
        moved (Container[str]): Names of files that were unpacked before and lie elsewhere now. Defaults to ().

    Returns:
        int: Number of files written.

    Raises:
        UserError: If the archive cannot be read to its end or the place cannot be written to, if it has no such member,
            or if another file lies where a member should go, or a link leads there.
    """
    wanted = re.compile(archive.members)
    matched = written = 0
    try:
        with _progress(f'unpacking {archive.name}', path.stat().st_size) as bar:
            for member in _members(path):
                match = wanted.fullmatch(member.name.removeprefix('./'))
                if match:
                    matched += 1
                    target = tree / match.expand(archive.target)
                    written += target.name not in moved and _write(member, target, archive, tree)
                bar.update(min(member.size, bar.total - bar.n))
    # A zip with a password, or packed in a way that zipfile does not know, is a RuntimeError, and so are tars within
    # tars without end; the others are of numbers in it.
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError,
            MemoryError) as error:
        raise UserError(f'{path} cannot be unpacked ({error}): download it again from {archive.url}') from error
    except OSError as error:
        raise UserError(f'{archive.name} cannot be unpacked into {tree} ({error.strerror or error}): free disk space '
                        'or correct the permissions there; the same command goes on') from error
    if not matched:
        raise UserError(f'{path} is another archive than {archive.url}: nothing in it has a name like '
                        f'{archive.members}')
    return written


def _write(member: Member, target: Path, archive: Archive, tree: Path) -> bool:
    """Whether it was written; False if it is there."""
    if target.exists():
        if target.stat().st_size != member.size:
            raise UserError(f'{target} has {target.stat().st_size} bytes and {member.size} in {archive.name}: remove '
                            'or rename it, nothing is overwritten')
        return False
    refuse_links(tree, target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = unfinished(target)
    source = member.open()
    assert source is not None  # plain files have content
    with source, open(part, 'wb') as file:
        shutil.copyfileobj(source, file, CHUNK)
    os.replace(part, target)
    return True


def _members(path: Path) -> Iterator[Member]:
    if path.suffix == '.zip':
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.is_dir():
                    yield Member(info.filename, info.file_size, partial(archive.open, info))
    else:
        with tarfile.open(path, tarinfo=BoundedTarInfo) as archive:
            yield from _tar_members(archive, '')


def _tar_members(archive: tarfile.TarFile, prefix: str) -> Iterator[Member]:
    """Plain files, and those of the tars inside, as in ImageNet's training set."""
    for info in archive:
        if info.isreg() and info.name.endswith('.tar'):
            with tarfile.open(fileobj=archive.extractfile(info), tarinfo=BoundedTarInfo) as inner:
                yield from _tar_members(inner, f'{prefix}{info.name}/')
        elif info.isreg():
            yield Member(prefix + info.name, info.size, partial(archive.extractfile, info))


def _progress(what: str, total: int) -> tqdm:
    return tqdm(desc=what, total=total, unit='B', unit_scale=True, disable=None, leave=False)
