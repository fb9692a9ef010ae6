"""Which paths lie in an object store."""

import os
import re

#: Protocols that are spoken, and the package that speaks each.
PROTOCOLS = dict(s3='s3fs', gs='gcsfs', https='aiohttp', http='aiohttp', hf='huggingface_hub')


def is_url(path: str | os.PathLike[str]) -> bool:
    """Whether a path is ``<protocol>://...``, spoken here or not."""
    return re.match(r'[a-z][a-z0-9+]*://', os.fspath(path)) is not None


def protocol_of(url: str) -> str:
    """What stands before its ``://``."""
    return url.partition('://')[0]


def bucket_of(url: str) -> str:
    """Protocol and bucket, or host, of a URL: what credentials belong to."""
    return '/'.join(url.split('/')[:3])


def join(folder: str | os.PathLike[str], name: str) -> str:
    """Path of a file below a folder, which may be a URL."""
    folder = os.fspath(folder)
    return f'{folder.rstrip("/")}/{name}' if is_url(folder) else os.path.join(folder, name)
