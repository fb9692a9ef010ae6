"""Requests to an object store, which are repeated until they are answered in full."""

import errno
import importlib.util
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.console.words import first_line
from lgd_mm.errors import MissingError, UserError
from lgd_mm.storage.urls import PROTOCOLS, WEB, protocol_of

#: How often a request is made, and seconds to wait after the first that failed; twice as many after each other one.
TRIES, WAIT, LONGEST_WAIT = 8, 0.1, 10.
#: Seconds until a connection is made, and without a byte of an answer.
CONNECT, ANSWER = 10, 30
#: What stores call the tag of a content.
TAGS = ('ETag', 'etag', 'md5Hash', 'blob_id', 'LastModified', 'Last-Modified', 'mtime')
T = TypeVar('T')


class Version(NamedTuple):
    """What an object is.

    Attributes:
        size (int): Bytes.
        tag (str): Another one for other contents.
    """

    size: int
    tag: str


def version_of(url: str) -> Version:
    """Size and tag of an object.

    Raises:
        UserError: If the store does not tell.
    """
    about = _answered(url, lambda: _about(url))
    if about.get('type') != 'file' or about.get('size') is None:
        raise UserError(f'{url} is no file of known size: name one')
    return _version(about)


def _about(url: str) -> dict[str, Any]:
    """What the store says of an object.

    Raises:
        FileNotFoundError: If it is not there; any other error if that is not known.
    """
    try:
        about: dict[str, Any] = _system(url).info(url)
    except FileNotFoundError as error:
        cause = error.__cause__  # fsspec says so of whatever goes wrong on the way to a web server
        if protocol_of(url) in WEB and cause is not None and getattr(cause, 'status', None) not in (404, 410):
            raise cause from None
        raise
    return about


def _version(about: dict[str, Any]) -> Version:
    tag = next((str(about[key]) for key in TAGS if about.get(key)), '')
    return Version(int(about['size']), tag)


def files_below(url: str) -> dict[str, Version]:
    """All objects whose names begin with that of a folder.

    Args:
        url (str): Of the folder.

    Returns:
        dict[str, Version]: Name below the folder -> what it is, by rising names.

    Raises:
        UserError: If there are none, or the store refuses.
    """
    folder = url.rstrip('/')
    system = _answered(folder, lambda: _system(folder))
    prefix = system._strip_protocol(folder).rstrip('/') + '/'
    found = _pages(system, folder) if protocol_of(url) in WEB else _answered(
        folder, lambda: system.find(folder, detail=True).items())
    files = {path[len(prefix):]: version_of(path) if about.get('size') is None else _version(about)
             for path, about in sorted(found) if path.startswith(prefix) and about.get('type') == 'file'}
    if not files:
        raise UserError(f'{url} holds nothing: correct the name of the bucket or folder')
    return files


def _pages(system: Any, folder: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files that the pages of a web server name; fsspec's own search leaves out those that do not come."""
    for about in _answered(folder, lambda: system.ls(folder, detail=True)):
        if about['type'] == 'directory' and about['name'].startswith(f'{folder}/'):
            yield from _pages(system, about['name'].rstrip('/'))
        elif '?' not in about['name']:  # the same page in another order
            yield about['name'], about


def read_object(url: str, begin: int = 0, end: int | None = None) -> bytes:
    """Bytes of an object.

    Args:
        url (str): Of the object.
        begin (int): First byte. Defaults to 0.
        end (int, optional): Behind the last byte. Defaults to None: all.

    Raises:
        UserError: If it is not there, or was not answered in full after several tries.
    """
    def request() -> bytes:
        if end is not None and end <= begin:
            return b''
        content: bytes = _system(url).cat_file(url, start=begin or None, end=end)
        if end is not None and len(content) > end - begin:
            raise UserError(f'{url} comes from a server that gives whole files alone: serve it by one that answers '
                            'requests for byte ranges')
        if end is not None and len(content) != end - begin:
            raise EOFError(f'{len(content):,} of {end - begin:,} bytes came')
        return content

    return _answered(url, request)


def write_object(url: str, content: bytes) -> None:
    """Write an object; it is there as a whole or not at all.

    Raises:
        UserError: If the store refuses.
    """
    _answered(url, lambda: _system(url).pipe_file(url, content))


def upload(file: Path, url: str, tries: int | None = None) -> None:
    """Copy a file into a store; the object is there as a whole or not at all.

    Args:
        file (Path): On this machine.
        url (str): Of the object.
        tries (int, optional): How often that is tried. Defaults to :data:`TRIES`.

    Raises:
        UserError: If the store refuses.
    """
    _answered(url, lambda: _system(url).put_file(str(file), url), tries)


def remove_object(url: str) -> None:
    """Remove an object, if it is there.

    Raises:
        UserError: If the store refuses.
    """
    def request() -> None:
        with suppress(FileNotFoundError):
            _system(url).rm_file(url)

    _answered(url, request)


def exists(url: str) -> bool:
    """Whether there is such an object.

    Raises:
        UserError: If the store does not tell.
    """
    def request() -> bool:
        with suppress(FileNotFoundError):  # some file systems' own exists() takes any error for a no
            _about(url)
            return True
        return False

    return _answered(url, request)


def _system(url: str) -> Any:
    """fsspec's file system of a URL, of this process and thread."""
    import fsspec
    protocol = protocol_of(url)
    _check(protocol)
    system = fsspec.filesystem(protocol, **_options(protocol))
    if protocol == 's3':
        system.retries = 1
    return system


@cache
def _options(protocol: str) -> dict[str, Any]:
    """Of fsspec's file system: it lists anew, and leaves it to us to repeat what failed and to say how often."""
    options: dict[str, Any] = dict(use_listings_cache=False)
    if protocol == 's3':
        options['config_kwargs'] = dict(connect_timeout=CONNECT, read_timeout=ANSWER,
                                        retries=dict(total_max_attempts=1))
    if protocol in WEB:
        from aiohttp import ClientTimeout
        options['client_kwargs'] = dict(timeout=ClientTimeout(total=None, sock_connect=CONNECT, sock_read=ANSWER))
    return options


@cache
def _check(protocol: str) -> None:
    if protocol not in PROTOCOLS:
        raise UserError(f'{protocol}:// is not read here: give a path, or one of '
                        f'{", ".join(f"{each}://" for each in PROTOCOLS)}')
    if importlib.util.find_spec(PROTOCOLS[protocol]) is None:
        raise MissingError(f'{protocol}:// needs the package {PROTOCOLS[protocol]}: pip install "lgd_mm[storage]"')


def _answered(url: str, request: Callable[[], T], tries: int | None = None) -> T:
    """What a request gives, after as many tries as it takes; those that a store leaves unanswered are told.

    Raises:
        UserError: If trying again would not help, or has not helped.
    """
    wait, tries = WAIT, tries or TRIES
    for attempt in range(1, tries + 1):
        begun = time.monotonic()
        try:
            return request()
        except UserError:
            raise
        except FileNotFoundError as error:
            raise UserError(f'{url} does not exist: correct its name, or put it back') from error
        except Exception as error:  # of whichever library speaks the protocol
            if cure := _cure(error):
                raise UserError(f'{url} cannot be reached ({_reason(error)}): {cure}') from error
            if attempt == tries:
                raise UserError(f'{url} could not be reached in {tries} {"tries" if tries > 1 else "try"} '
                                f'({_reason(error)}): see that the store is there and answers; the same command goes '
                                'on') from error
            if (waited := time.monotonic() - begun) > CONNECT / 2:
                print_rank0(f'{url} did not answer for {waited:.0f} s ({_reason(error)}): try {attempt + 1} of {tries}')
        # Processes that wait together do not return together.
        time.sleep(wait * random.uniform(0.5, 1))  # nosec B311
        wait = min(2 * wait, LONGEST_WAIT)
    raise AssertionError


def _reason(error: Exception) -> str:
    return f'{type(error).__name__}: {first_line(error)}' if str(error) else type(error).__name__


def _cure(error: Exception) -> str | None:
    """What to do about an error that comes again with each try."""
    name, answer = type(error).__name__, getattr(error, 'response', None)
    status = next((getattr(each, key) for each, key in ((error, 'status'), (error, 'code'), (answer, 'status_code'))
                   if hasattr(each, key)), None)
    refused = isinstance(error, PermissionError) or status in (401, 403) or str(error).startswith('Forbidden')
    if refused or 'Credentials' in name or 'GoogleAuthError' in name:
        return ('give credentials that may read it, where its library looks for them, such as AWS_ACCESS_KEY_ID and '
                'AWS_SECRET_ACCESS_KEY or AWS_PROFILE; for s3 also AWS_ENDPOINT_URL, if it is not at Amazon')
    if getattr(error, 'errno', None) == errno.EINVAL:  # what s3fs makes of answer 400
        return "set AWS_DEFAULT_REGION to the bucket's region, and AWS_ENDPOINT_URL to a store that is not Amazon's"
    if name in ('ParamValidationError', 'InvalidRepoIdError', 'InvalidURL', 'InvalidURIError'):
        return 'correct its name'
    return None
