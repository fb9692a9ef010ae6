"""Files of a web server, which is known by what it answers alone."""

import functools
import http.server
import os
import re
import tarfile
import threading
from pathlib import Path

import pytest

from lgd_mm.datasets import IndexedImages
from lgd_mm.datasets.index import ImageIndex, build_index
from lgd_mm.errors import UserError
from lgd_mm.storage import files_below, join, objects, pieces, read_object, read_range
from lgd_mm.storage.objects import exists, version_of
from tests.tiny import write_images


class Handler(http.server.SimpleHTTPRequestHandler):
    """Of a folder, by byte ranges; of the next requests some may be answered with an error."""

    errors: list[int] = []
    whole = False

    def log_message(self, *_):
        """Nothing."""

    def do_GET(self):
        if self.errors:
            self.send_response(self.errors.pop(0))
            self.send_header('Content-Length', '0')
            self.end_headers()
            return
        wanted = re.fullmatch(r'bytes=(\d+)-(\d+)', self.headers.get('Range') or '')
        path = Path(self.translate_path(self.path))
        if wanted is None or self.whole or not path.is_file():
            getattr(super(), f'do_{self.command}')()
            return
        content = path.read_bytes()[int(wanted[1]):int(wanted[2]) + 1]
        self.send_response(206)
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_HEAD = do_GET


@pytest.fixture
def site(tmp_path, monkeypatch):
    """Address of a folder, which is ``tmp_path / 'site'``."""
    (tmp_path / 'site').mkdir()
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path / 'cache'))
    monkeypatch.setattr(objects, 'WAIT', 0.01)
    monkeypatch.setattr(pieces, '_versions', {})
    monkeypatch.setattr(Handler, 'errors', [])
    handler = functools.partial(Handler, directory=tmp_path / 'site')
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f'http://127.0.0.1:{server.server_address[1]}'
        server.shutdown()


def test_shards_are_found_indexed_and_read(site, tmp_path):
    paths = sorted(write_images(tmp_path / 'images', 4))
    (tmp_path / 'site' / 'deep').mkdir()
    for name, some in (('0.tar', paths[:2]), ('deep/1 #?.tar', paths[2:])):
        with tarfile.open(tmp_path / 'site' / name, 'w') as tar:
            for path in some:
                tar.add(path, path.relative_to(tmp_path / 'images'))
    assert list(files_below(site)) == ['0.tar', 'deep/1%20%23%3F.tar']
    assert build_index(site, tmp_path / 'there') == build_index(tmp_path / 'site', tmp_path / 'here') == 4
    assert ImageIndex(tmp_path / 'there').digest == ImageIndex(tmp_path / 'here').digest
    for index in ('here', 'there'):  # one knows the names of files, one those of links
        images = IndexedImages(str(tmp_path / index), data_root=site, pipeline=[dict(type='lgd_mm.LoadImage')])
        assert [images[number, 0, 0]['img'].shape for number in range(4)] and not images.unreadable


def test_a_name_does_not_end_where_a_fragment_would_begin():
    assert join('https://host/a', 'b#c?d.tar') == 'https://host/a/b%23c%3Fd.tar'
    assert join('s3://bucket/a', 'b#c?d.tar') == 's3://bucket/a/b#c?d.tar'


def test_what_fails_is_not_taken_for_missing(site, tmp_path):
    (tmp_path / 'site' / 'a').write_bytes(b'content')
    for ask, url in ((version_of, f'{site}/a'), (exists, f'{site}/a'), (files_below, site)):
        Handler.errors[:] = [503] * 4
        assert ask(url) and not Handler.errors
    assert not exists(f'{site}/b')
    with pytest.raises(UserError, match='/b does not exist: correct its name'):
        version_of(f'{site}/b')


@pytest.mark.parametrize('ask', [version_of, read_object, exists])
def test_what_is_refused_is_asked_for_once(site, ask):
    Handler.errors[:] = [403] * 20
    with pytest.raises(UserError, match='cannot be reached .*: give credentials that may read it'):
        ask(f'{site}/a')
    assert len(Handler.errors) >= 18


def test_a_file_that_was_rewritten_is_another(site, tmp_path, monkeypatch):
    """Also if the server has no tags but its time."""
    file = tmp_path / 'site' / 'a'
    file.write_bytes(b'before')
    os.utime(file, (1, 1))
    assert read_range(f'{site}/a', 0, 6) == b'before'
    file.write_bytes(b'behind')
    monkeypatch.setattr(pieces, '_versions', {})
    assert read_range(f'{site}/a', 0, 6) == b'behind'


def test_a_server_without_ranges(site, tmp_path, monkeypatch):
    (tmp_path / 'site' / 'a').write_bytes(b'content')
    monkeypatch.setattr(Handler, 'whole', True)
    assert read_object(f'{site}/a') == read_object(f'{site}/a', 0, 7) == b'content'
    with pytest.raises(UserError, match='/a comes from a server that gives whole files alone'):
        read_object(f'{site}/a', 2, 4)
