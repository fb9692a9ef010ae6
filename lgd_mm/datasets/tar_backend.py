"""Members of tars as files of mmengine, so that every loader reads them by their path."""

import os
import re
from functools import lru_cache
from typing import IO

from mmengine.fileio import BaseStorageBackend, register_backend

from lgd_mm.datasets.tar_index import Member
from lgd_mm.errors import UserError

#: Tars that a process keeps open: on network storage, opening costs more than reading.
OPEN = 512


def member_path(tar: str, member: Member) -> str:
    """``tar://<tar>#<name>@<offset>+<size>``, which holds all that reading needs.

    Args:
        tar (str): Path of the tar.
        member (Member): From :func:`lgd_mm.datasets.tar_index.tar_index`.

    Returns:
        str: A path for :func:`mmengine.fileio.get`.
    """
    return f'tar://{tar}#{member.name}@{member.offset}+{member.size}'


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
    return match[1], match[2], int(match[3]), int(match[4])


@lru_cache(OPEN)
def _opened(tar: str) -> IO[bytes]:
    return open(tar, 'rb', buffering=0)
