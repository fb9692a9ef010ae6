"""A guard that sees whatever is run, fetched or imported while a file is read."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_security.payloads import PLANTED

#: Of Python's own audit: programs that are started, addresses that are looked up or spoken to.
WATCHED = ('subprocess.Popen', 'os.system', 'os.exec', 'os.posix_spawn', 'os.spawn', 'pty.spawn', 'socket.connect',
           'socket.getaddrinfo', 'urllib.Request')
SEEN: list[str] = []
_watching = False


def _hook(event: str, args: tuple) -> None:
    if _watching and event in WATCHED:
        SEEN.append(f'{event} {args!r}'[:200])


sys.addaudithook(_hook)


@contextlib.contextmanager
def watched() -> Iterator[list[str]]:
    """Collect what happens within the block."""
    global _watching
    SEEN.clear()
    _watching = True
    try:
        yield SEEN
    finally:
        _watching = False


@pytest.fixture(scope='session')
def marker(tmp_path_factory) -> Path:
    """A file that is there once something was run; beside it lie a module and a pickle that make it."""
    folder = tmp_path_factory.mktemp('planted')
    marker = folder / 'MARKER'
    (folder / f'{PLANTED}.py').write_text(f'open({str(marker)!r}, "w").close()\n')
    (folder / PLANTED.replace('module', 'package')).mkdir()
    (folder / 'base.py').write_text(f'open({str(marker)!r}, "w").close()\n')
    (folder / 'evil.pkl').write_bytes(b"cposix\nsystem\n(S'touch " + str(marker).encode() + b"'\ntR.")
    return marker


@pytest.fixture(autouse=True)
def planted(marker, monkeypatch) -> None:
    """The module lies on the import path, as one in the current folder does."""
    monkeypatch.syspath_prepend(str(marker.parent))
    monkeypatch.setenv('HF_HUB_OFFLINE', '1')
    sys.modules.pop(PLANTED, None)
    marker.unlink(missing_ok=True)
