"""Whole objects on the local disk, for what is read through memory."""

import os
from collections.abc import Iterator

from lgd_mm.errors import UserError
from lgd_mm.storage import room
from lgd_mm.storage.objects import Version, read_object, version_of
from lgd_mm.storage.urls import is_url

#: Bytes of a request.
BIT = 2**26


def local_copy(path: str | os.PathLike[str]) -> str:
    """Where a file can be opened: itself, or a copy of the object, which is fetched unless it is here.

    Args:
        path (str | PathLike): Path or URL.

    Raises:
        UserError: If the object is not there, cannot be reached, is written anew meanwhile, or the copy cannot be
            written.
    """
    path = os.fspath(path)
    if not is_url(path):
        return path
    version = version_of(path)
    return os.fspath(room.copy_of(path, version, 'whole', lambda: _content(path, version)))


def _content(url: str, version: Version) -> Iterator[bytes]:
    for begin in range(0, version.size, BIT):
        yield read_object(url, begin, min(begin + BIT, version.size))
    if version_of(url) != version:
        raise UserError(f'{url} was written anew while it was copied here, which may have parts of both: the same '
                        'command goes on')
