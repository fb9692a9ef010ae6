"""An object store with one way to it that works, and one that often does not."""

import pytest
from s3fs import S3FileSystem

from tests.object_store import ENVIRONMENT, flaky, s3_server


@pytest.fixture(scope='session')
def server():
    """The address of an S3 server."""
    with s3_server() as address:
        yield address


@pytest.fixture
def store(server, tmp_path, monkeypatch):
    """A server that hands requests on, of which tests may have a share go wrong; no copy of an object is here yet."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path / 'cache'))
    with flaky(server, 0.) as way:
        monkeypatch.setenv('AWS_ENDPOINT_URL', way.address)
        monkeypatch.setattr('lgd_mm.storage.objects.WAIT', 0.01)
        monkeypatch.setattr('lgd_mm.storage.pieces._versions', {})
        S3FileSystem.clear_instance_cache()  # one knows the address it was made with
        yield way
