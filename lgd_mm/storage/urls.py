"""Which paths lie in an object store."""

import os
import re

#: Protocols that are spoken, and the package that speaks each.
PROTOCOLS = dict(s3='s3fs', gs='gcsfs', https='aiohttp', http='aiohttp', hf='huggingface_hub')
#: Those of web servers.
WEB = ('https', 'http')


def is_url(path: str | os.PathLike[str]) -> bool:
    """Whether a path is ``<protocol>://...``, spoken here or not."""
    return re.match(r'[A-Za-z][A-Za-z0-9+]*://', os.fspath(path)) is not None


def protocol_of(url: str) -> str:
    """What stands before its ``://``."""
    return url.partition('://')[0]


def bucket_of(url: str) -> str:
    """Protocol and bucket, host or repository of a URL: what credentials belong to."""
    parts = url.split('/')
    owned = 3 if parts[0] != 'hf:' else 5 if parts[2:3] in (['datasets'], ['spaces'], ['buckets']) else 4
    return '/'.join(parts[:owned])


def join(folder: str | os.PathLike[str], name: str) -> str:
    """Path of a file below a folder, which may be a URL."""
    folder = os.fspath(folder)
    if not is_url(folder):
        return os.path.join(folder, name)
    if protocol_of(folder) in WEB:  # where they would end the path
        name = name.replace('#', '%23').replace('?', '%3F')
    return f'{folder.rstrip("/")}/{name}'
