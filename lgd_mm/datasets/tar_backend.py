"""Members of tars as files of mmengine, so that every loader reads them by their path."""

import os
import re
from functools import lru_cache
from typing import IO

from mmengine.fileio import BaseStorageBackend, register_backend

from lgd_mm.datasets.tar_index import Member
from lgd_mm.errors import UserError
from lgd_mm.storage import is_url, read_range
from lgd_mm.storage.urls import PROTOCOLS

#: Tars that a process keeps open: on network storage, opening costs more than reading.
OPEN = 512


def member_path(tar: str, member: Member) -> str:
    """``tar://<tar>#<name>@<offset>+<size>``, which holds all that reading needs; mmengine splits it at its only
    ``://``.

    Args:
        tar (str): Path of the tar, or its URL.
        member (Member): From :func:`lgd_mm.datasets.tar_index.tar_index`.

    Returns:
        str: A path for :func:`mmengine.fileio.get`.
    """
    return f'tar://{tar.replace("://", ":/", 1)}#{member.name}@{member.offset}+{member.size}'


@register_backend('tar', prefixes='tar')
class TarBackend(BaseStorageBackend):
    """Reads the bytes of a member; what they mean is left to the loader."""

    def get(self, filepath: str) -> bytes:
        """All bytes of a member.

        Args:
            filepath (str): From :func:`member_path`.

        Returns:
            bytes: Fewer than its size if the tar has become shorter.

        Raises:
            UserError: If the tar is gone.
        """
        tar, _, offset, size = _parts(filepath)
        if is_url(tar):
            return read_range(tar, offset, size)
        try:
            file = _opened(tar)
        except FileNotFoundError as error:
            raise UserError(f'{tar} is gone since the run began: put it back') from error
        return os.pread(file.fileno(), size, offset)  # has no position that threads or forks would share

    def get_text(self, filepath: str, encoding: str = 'utf-8') -> str:
        """The same, decoded."""
        return self.get(filepath).decode(encoding)


def name_and_size(path: str) -> tuple[str, int]:
    """Name of a member in its tar, and its bytes."""
    _, name, _, size = _parts(path)
    return name, size


def _parts(path: str) -> tuple[str, str, int, int]:
    match = re.fullmatch(r'tar://(.+?\.tar)#(.*)@(\d+)\+(\d+)', path, re.DOTALL)
    assert match, f'{path} is not from member_path()'
    protocol, _, place = match[1].partition(':/')
    tar = f'{protocol}://{place}' if protocol in PROTOCOLS else match[1]
    return tar, match[2], int(match[3]), int(match[4])


@lru_cache(OPEN)
def _opened(tar: str) -> IO[bytes]:
    return open(tar, 'rb', buffering=0)
