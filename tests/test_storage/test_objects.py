"""Objects are read whole, however often the store fails, and what cannot be read is told in a sentence."""

import os
import time
from types import SimpleNamespace

import numpy as np
import pytest
from s3fs import S3FileSystem

from lgd_mm.errors import MissingError, UserError
from lgd_mm.storage import (
    copies,
    files_below,
    is_url,
    join,
    local_copy,
    objects,
    opened,
    pieces,
    read_object,
    read_range,
    room,
    write_object,
)
from lgd_mm.storage.urls import bucket_of
from tests.object_store import client, upload

CONTENT = np.random.default_rng(0).bytes(100_000)


@pytest.fixture
def bucket(store, server, tmp_path, request):
    """A bucket of the test's own, with two objects."""
    name = f'bucket-{abs(hash(request.node.name)) % 10**9}-{os.getpid()}'
    (tmp_path / 'up' / 'deep').mkdir(parents=True)
    (tmp_path / 'up' / 'a.bin').write_bytes(CONTENT)
    (tmp_path / 'up' / 'deep' / 'b.bin').write_bytes(CONTENT[:10])
    upload(server, tmp_path / 'up', name)
    return f's3://{name}'


def test_urls():
    assert is_url('s3://bucket/a') and is_url('hf://datasets/a/b') and not is_url('/a/s3://b') and not is_url('a.tar')
    assert join('s3://bucket/a/', 'b/c') == 's3://bucket/a/b/c' and join('a', 'b') == os.path.join('a', 'b')
    assert bucket_of('s3://bucket/a/b') == 's3://bucket' and bucket_of('https://host:1/a') == 'https://host:1'
    assert bucket_of('hf://datasets/me/photos/a/b') == 'hf://datasets/me/photos' != bucket_of('hf://datasets/me/other')
    assert bucket_of('hf://me/model/a') == 'hf://me/model'


def test_what_lies_below(bucket, store):
    found = files_below(bucket)
    assert {name: version.size for name, version in found.items()} == {'a.bin': 100_000, 'deep/b.bin': 10}
    assert list(files_below(f'{bucket}/deep/')) == ['b.bin']
    assert read_object(f'{bucket}/a.bin') == CONTENT
    assert read_object(f'{bucket}/a.bin', 7, 2000) == CONTENT[7:2000]
    assert read_object(f'{bucket}/a.bin', 7, 7) == b''
    write_object(f'{bucket}/new/c.bin', b'content')
    assert read_object(f'{bucket}/new/c.bin') == b'content'


def test_what_goes_wrong_is_repeated(bucket, store, monkeypatch):
    """Half of the requests are refused, slow, cut off in the middle or never answered."""
    store.share = 0.5
    for begin in range(0, 100_000, 5000):
        assert read_object(f'{bucket}/a.bin', begin, begin + 5000) == CONTENT[begin:begin + 5000]
    assert store.failed > 10


def test_ranges_through_pieces(bucket, store, monkeypatch):
    monkeypatch.setattr(pieces, 'PIECE', 1000)
    for begin, size in ((0, 10), (990, 20), (999, 1), (1000, 1000), (0, 100_000), (99_990, 10), (500, 0)):
        assert read_range(f'{bucket}/a.bin', begin, size) == CONTENT[begin:begin + size]
    assert read_range(f'{bucket}/a.bin', 99_990, 100) == CONTENT[-10:]  # it ends
    before = store.requests
    assert read_range(f'{bucket}/a.bin', 0, 100_000) == CONTENT
    assert store.requests == before  # all of it is here
    with opened(f'{bucket}/a.bin') as file:
        assert file.seek(-5, os.SEEK_END) == 99_995 and file.read() == CONTENT[-5:]
        file.seek(0)
        assert file.read() == CONTENT


def test_expected_pieces_come_in_the_background(bucket, store, monkeypatch):
    monkeypatch.setattr(pieces, 'PIECE', 10_000)
    pieces.expect((f'{bucket}/a.bin', begin, 100) for begin in (5, 10, 25_000, 99_950))
    for _ in range(1000):
        if not pieces._ahead(os.getpid())._wanted:
            break
        time.sleep(0.01)
    before = store.requests
    assert read_range(f'{bucket}/a.bin', 0, 10_000) == CONTENT[:10_000]
    assert read_range(f'{bucket}/a.bin', 20_000, 10_000) == CONTENT[20_000:30_000]
    assert read_range(f'{bucket}/a.bin', 90_000, 10_000) == CONTENT[90_000:]
    assert store.requests == before
    assert read_range(f'{bucket}/a.bin', 10_000, 10) == CONTENT[10_000:10_010]
    assert store.requests == before + 1


def test_copies_take_no_more_than_their_room(bucket, store, monkeypatch, tmp_path):
    """Those used longest ago go first."""
    monkeypatch.setattr(pieces, 'PIECE', 1000)
    monkeypatch.setattr(room, 'LOOK_EACH', 1)
    monkeypatch.setenv('LGD_STORAGE_GB', '0.00001')  # ten pieces
    for begin in range(0, 50_000, 1000):
        assert read_range(f'{bucket}/a.bin', begin, 1000) == CONTENT[begin:begin + 1000]
        read_range(f'{bucket}/a.bin', 0, 10)  # in use all the time
    kept = sorted(int(path.name.split('-')[1]) for path in (tmp_path / 'cache' / 'objects').glob('*/*'))
    assert 0 in kept and 49 in kept and 9 <= len(kept) <= 11
    assert set(kept) - {0} <= set(range(35, 50))


@pytest.mark.parametrize('text', ['much', '0', '-1', 'inf', 'nan'])
def test_room_that_is_none(text, monkeypatch):
    monkeypatch.setenv('LGD_STORAGE_GB', text)
    with pytest.raises(UserError, match=f'LGD_STORAGE_GB is {text!r}: set it to the GB'):
        room.room()


def test_an_object_that_was_rewritten_is_another(bucket, server, store, monkeypatch):
    assert read_range(f'{bucket}/a.bin', 0, 10) == CONTENT[:10]
    client(server).put_object(Bucket=bucket[5:], Key='a.bin', Body=b'x' * 100_000)
    monkeypatch.setattr(pieces, '_versions', {})  # as in the next run
    assert read_range(f'{bucket}/a.bin', 0, 10) == b'x' * 10
    assert open(local_copy(f'{bucket}/a.bin'), 'rb').read() == b'x' * 100_000
    assert local_copy('/some/path') == '/some/path'


def test_an_object_that_is_written_anew_while_it_is_copied(bucket, server, store, monkeypatch, tmp_path):
    """The copy would have the beginning of one and the end of the other."""
    reading = copies.read_object

    def late(url, begin, end):
        if begin:
            client(server).put_object(Bucket=bucket[5:], Key='a.bin', Body=b'x' * 100_000)
        return reading(url, begin, end)

    monkeypatch.setattr(copies, 'BIT', 50_000)
    monkeypatch.setattr(copies, 'read_object', late)
    with pytest.raises(UserError, match=r'a\.bin was written anew while it was copied here'):
        local_copy(f'{bucket}/a.bin')
    assert open(local_copy(f'{bucket}/a.bin'), 'rb').read() == b'x' * 100_000


def test_an_object_that_is_cut_while_it_is_read(bucket, server, store, monkeypatch):
    with opened(f'{bucket}/a.bin') as file:
        client(server).put_object(Bucket=bucket[5:], Key='a.bin', Body=b'short')
        assert file.read() == b'short'


def test_no_space_for_copies(bucket, store, monkeypatch):
    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(UserError, match=r'cannot take a copy of a part of s3://.*a\.bin \(No space left on device\): '
                                        'free disk space, set LGD_STORAGE_GB to less, or set LGD_CACHE_DIR') as told:
        read_range(f'{bucket}/a.bin', 0, 10)
    assert told.value.status == 6


@pytest.mark.parametrize('name, said', [
    ('s3://no-such-bucket/a', 'does not exist: correct its name'),
    ('ftp://host/a', r'ftp:// is not read here: give a path, or one of s3://, gs://'),
    ('file:///etc/passwd', 'file:// is not read here'),
    ('memory://a', 'memory:// is not read here'),
    ('s3://A_bad__NAME!/x', 'correct its name'),
])
def test_names_that_lead_nowhere(name, said, store):
    for ask in (read_object, files_below, local_copy):
        with pytest.raises(UserError, match=said):
            ask(name)
    assert store.requests < 40


def test_a_folder_that_is_empty(bucket):
    with pytest.raises(UserError, match='nothing/here holds nothing: correct the name of the bucket or folder'):
        files_below(f'{bucket}/nothing/here')


@pytest.mark.parametrize('refusal, said', [
    ((403, 'AccessDenied'), 'give credentials that may read it'),
    ((403, 'InvalidAccessKeyId'), 'give credentials that may read it'),
    ((400, 'AuthorizationHeaderMalformed'), "set AWS_DEFAULT_REGION to the bucket's region"),
])
def test_a_store_that_refuses(bucket, store, refusal, said):
    """At once: trying again would not help."""
    store.refusal = refusal
    before = store.requests
    with pytest.raises(UserError, match=rf'^s3://.*/a\.bin cannot be reached \(.*\): .*{said}'):
        read_object(f'{bucket}/a.bin')
    assert store.requests - before < 8


@pytest.mark.parametrize('error', [
    OSError('Forbidden: bucket/a'), type('HttpError', (Exception, ), dict(code=401))(),
    type('HfHubHTTPError', (OSError, ), dict(response=type('Response', (), dict(status_code=403))))()])
def test_how_other_stores_refuse(error):
    assert 'give credentials that may read it' in objects._cure(error)


def test_no_credentials(bucket, store, monkeypatch, tmp_path):
    for name in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'):
        monkeypatch.delenv(name)
    monkeypatch.setenv('AWS_EC2_METADATA_DISABLED', 'true')
    monkeypatch.setenv('HOME', str(tmp_path))
    store.refusal = 403, 'AccessDenied'
    S3FileSystem.clear_instance_cache()
    with pytest.raises(UserError, match='give credentials that may read it, where its library looks for them'):
        read_object(f'{bucket}/a.bin')


def test_a_store_that_is_down(bucket, store, monkeypatch):
    monkeypatch.setattr(store, 'mishap', lambda: setattr(store, 'failed', store.failed + 1) or 'refused')
    monkeypatch.setattr('lgd_mm.storage.objects.TRIES', 2)
    with pytest.raises(UserError, match=r'a\.bin could not be reached in 2 tries \(.*\): see that the store is there'):
        read_object(f'{bucket}/a.bin', 0, 10)
    assert store.failed == 2  # none that its library makes by itself


def test_a_store_that_hangs_is_told(monkeypatch, capsys):
    clock = iter([0, 30, 100, 130, 200, 200.1, 300])  # two without an answer, one that fails at once, one that works
    monkeypatch.setattr(objects, 'time', SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: None))
    answers = iter([TimeoutError('no answer'), TimeoutError('no answer'), ConnectionError('cut')])

    def request():
        for error in answers:
            raise error
        return 'here'

    assert objects._answered('s3://bucket/a', request) == 'here'
    assert capsys.readouterr().out.splitlines() == [
        f's3://bucket/a did not answer for 30 s (TimeoutError: no answer): try {number} of 8' for number in (2, 3)]


def test_a_package_that_is_missing(monkeypatch):
    monkeypatch.setattr('importlib.util.find_spec', lambda _: None)
    objects._check.cache_clear()
    with pytest.raises(MissingError, match=r'gs:// needs the package gcsfs: pip install "lgd_mm\[storage\]"'):
        read_object('gs://bucket/a')
