"""Where each member of a tar lies, found once and kept in the cache."""

import hashlib
import json
import os
import tarfile
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from lgd_mm.console.printable import shortened
from lgd_mm.errors import DataError
from lgd_mm.io.cache import cache_folder
from lgd_mm.io.files import read_plain, write_text
from lgd_mm.io.tar_heads import BoundedTarInfo
from lgd_mm.storage import opened


class Member(NamedTuple):
    """A file in a tar: its path there, the place of its first byte, and the number of bytes."""

    name: str
    offset: int
    size: int


def tar_index(path: str) -> list[Member]:
    """The files of a tar, in their order; one that has a second name, a hard link, is there twice.

    The first call reads the head of each member. Later ones read a small file in the cache, as long as the tar's size
    and time are the same.

    Args:
        path (str): The tar, not compressed.

    Returns:
        list[Member]: Symbolic links, folders and devices are left out.

    Raises:
        UserError: If it cannot be read, is no tar or does not reach its end.
    """
    try:
        return _index(path)
    except OSError as error:
        raise DataError(f'{path} cannot be read ({error.strerror or error}): put it back, or correct the permissions'
                        ) from error


def _index(path: str) -> list[Member]:
    status = os.stat(path)
    place = os.path.realpath(path)
    state = [place, status.st_size, status.st_mtime_ns, 'with hard links']
    kept = cache_folder('tar_index') / f'{hashlib.sha256(os.fsencode(place)).hexdigest()}.json'
    with suppress(OSError, ValueError, KeyError, TypeError):  # none yet, or damaged
        content = json.loads(read_plain(kept))
        if content['state'] == state:
            members = [Member(*member) for member in content['members']]
            if all(_lies_within(member, status.st_size) for member in members):
                return members
    members = read_members(path)
    _keep(kept, dict(state=state, members=members))
    return members


def read_members(path: str) -> list[Member]:
    """The files of a tar as of :func:`tar_index`, or of one in an object store, read anew."""
    members: list[Member] = []
    files: dict[str, Member] = {}
    try:
        with opened(path) as file, tarfile.open(fileobj=file, mode='r:', tarinfo=BoundedTarInfo) as tar:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            for info in tar:
                if tar.offset <= info.offset:  # a negative size leads back, without end
                    raise tarfile.ReadError(f'{shortened(info.name)} would have {info.size:,} bytes')
                name = info.name.removeprefix('./')
                if info.islnk() and info.linkname in files:
                    member = files[info.linkname]._replace(name=name)
                elif info.isreg() and not info.issparse():
                    member = Member(name, info.offset_data, info.size)
                else:
                    continue
                if not _lies_within(member, size):
                    raise tarfile.ReadError(f'{shortened(member.name)} would have {member.size:,} bytes and the tar '
                                            f'has {size:,}')
                files[info.name] = member
                members.append(member)
            end = tar.offset
            file.seek(end)  # tarfile takes a damaged head for the end; that is a block of zeros
            if file.read(tarfile.BLOCKSIZE) == tarfile.NUL * tarfile.BLOCKSIZE:
                return members
        reason = f'damaged or cut off at byte {end:,}'
    except (tarfile.TarError, ValueError, OverflowError, MemoryError, RecursionError) as error:  # of its numbers
        reason = str(error) or type(error).__name__
    raise DataError(f'{path} is no whole uncompressed tar ({reason}): copy or make it again')


def _lies_within(member: Member, size: int) -> bool:
    """Whether a member's bytes are in a tar of that size: they are read by these numbers."""
    numbers = (member.offset, member.size)
    return (isinstance(member.name, str) and all(type(number) is int and number >= 0 for number in numbers)
            and sum(numbers) <= size)


def _keep(path: Path, content: dict[str, Any]) -> None:
    """Without disk space or permission, the tar is read again next time."""
    with suppress(OSError):
        write_text(path, json.dumps(content))
