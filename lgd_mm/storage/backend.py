"""Object stores for :func:`mmengine.fileio.get`, so that every loader reads from them by URL."""

from collections.abc import Iterator
from contextlib import contextmanager

from mmengine.fileio import BaseStorageBackend, register_backend

from lgd_mm.storage.copies import local_copy
from lgd_mm.storage.objects import read_object
from lgd_mm.storage.urls import join


# mmengine's own for s3:// is of one company's client, that for https:// neither waits nor tries again.
@register_backend('object_store', prefixes=['s3', 'gs', 'https', 'http', 'hf'], force=True)
class ObjectBackend(BaseStorageBackend):
    """Reads whole objects."""

    def get(self, filepath: str) -> bytes:
        """All bytes of an object, see :func:`lgd_mm.storage.read_object`."""
        return read_object(filepath)

    def get_text(self, filepath: str, encoding: str = 'utf-8') -> str:
        """The same, decoded."""
        return self.get(filepath).decode(encoding)

    @contextmanager
    def get_local_path(self, filepath: str) -> Iterator[str]:
        """A copy on this machine, see :func:`lgd_mm.storage.local_copy`."""
        yield local_copy(filepath)

    def join_path(self, filepath: str, *filepaths: str) -> str:
        """Put a folder and names below it together."""
        for name in filepaths:
            filepath = join(filepath, name) if name else filepath
        return filepath
