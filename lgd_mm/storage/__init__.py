"""Files of object stores (``s3://``, ``gs://``, ``https://``, ``hf://``), read through fsspec."""

from lgd_mm.storage.copies import local_copy
from lgd_mm.storage.objects import files_below, read_object, write_object
from lgd_mm.storage.opening import opened
from lgd_mm.storage.pieces import expect, read_range
from lgd_mm.storage.urls import is_url, join

__all__ = [
    'expect', 'files_below', 'is_url', 'join', 'local_copy', 'opened', 'read_object', 'read_range', 'write_object'
]
