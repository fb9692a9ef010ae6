"""Members of tars whose heads have the length that heads have."""

import re
import tarfile
from typing import Any

#: Bytes of what stands before a member: its long name, its times. tarfile reads it whole.
LARGEST = 2**20
#: What tarfile looks for the end of from each of its digits; no length or time has as many.
NUMBER = re.compile(rb'\d{1000}')
#: Types of members that hold this instead of a file.
HEADS = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)


class BoundedTarInfo(tarfile.TarInfo):
    """For ``tarfile.open(..., tarinfo=BoundedTarInfo)``.

    Raises:
        tarfile.ReadError: While the tar is read, if such a head is longer, or holds a number without end.
    """

    def _proc_member(self, tar: Any) -> tarfile.TarInfo:
        if self.type in HEADS and not 0 <= self.size <= LARGEST:
            raise tarfile.ReadError(f'what stands before a member has {self.size:,} bytes, and {LARGEST:,} are the '
                                    'most')
        if self.type in HEADS:
            begin = tar.fileobj.tell()
            if NUMBER.search(tar.fileobj.read(self.size)):
                raise tarfile.ReadError('what stands before a member has a number of a thousand digits')
            tar.fileobj.seek(begin)
        found: tarfile.TarInfo = super()._proc_member(tar)  # type: ignore[misc]
        return found
