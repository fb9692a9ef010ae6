"""Texts from outside are read to an end, or refused in a sentence."""

import errno
import json
import os
import pickle
import signal
from io import FileIO

import mmcv
import pytest
from mmengine import fileio

from lgd_mm.api.classes import parse_classes
from lgd_mm.datasets.mask_file import labels_in
from lgd_mm.errors import UserError
from lgd_mm.io import files, texts
from lgd_mm.io.files import open_plain, read_plain
from lgd_mm.io.images import open_image
from lgd_mm.io.texts import parse_json, read_json, read_text
from lgd_mm.language import category_names, prompt_templates
from lgd_mm.own_data.coco_categories import read_categories
from lgd_mm.own_data.coco_set import read_coco


@pytest.fixture(autouse=True)
def an_end():
    """What waits for ever fails; what is quick takes a second."""
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture
def pipe(tmp_path):
    """Nobody writes into it."""
    os.mkfifo(tmp_path / 'names.txt')
    os.mkfifo(tmp_path / 'names.json')
    return tmp_path / 'names'


def test_pipes_and_devices_are_refused_at_once(pipe):
    for read in (category_names, prompt_templates, parse_classes, read_text):
        with pytest.raises(UserError, match='names.txt cannot be read .it is a pipe and no plain file'):
            read(f'{pipe}.txt')
    for read in (category_names, parse_classes, read_json, read_categories):
        with pytest.raises(UserError, match='names.json cannot be read .it is a pipe and no plain file'):
            read(f'{pipe}.json')
    for path in ('/dev/zero', '/dev/tty'):
        with pytest.raises(UserError, match=f'{path} cannot be read'):
            read_text(path)


def test_links_to_plain_files_are_plain(tmp_path):
    (tmp_path / 'a').write_text('cat\n')
    (tmp_path / 'b.txt').symlink_to('a')
    assert category_names(str(tmp_path / 'b.txt')) == ['cat']
    (tmp_path / 'folder.txt').mkdir()
    with pytest.raises(UserError, match='folder.txt cannot be read .Is a directory'):
        read_text(tmp_path / 'folder.txt')


def test_too_long_a_text(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, 'LIMIT', 10)
    (tmp_path / 'a.txt').write_text('cat\n' * 3)
    with pytest.raises(UserError, match='a.txt cannot be read .it has 12 bytes, and 10 are the most'):
        read_text(tmp_path / 'a.txt')


@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
def test_ends_of_lines(tmp_path, end):
    (tmp_path / 'a.txt').write_bytes(end.join(['\ufeffcat', 'guinea pig', '']).encode())
    assert category_names(str(tmp_path / 'a.txt')) == ['cat', 'guinea pig']


@pytest.mark.parametrize(('content', 'sentence'), [
    (b'[' * 100_000, 'nested too deeply'), (b'{"a":' * 100_000, 'nested too deeply'),
    (b'[1' + b'0' * 5000 + b']', 'a number of too many digits'), (b'["\\ud800"]', r'half a character \(\\ud800\)'),
    (b'{"\\uDFFF": 1}', r'half a character \(\\udfff\)'), (b'[1,\n2,,]', 'no valid JSON .line 2'),
    (b'["\xff"]', 'byte 2 is not UTF-8'), (b'', 'no valid JSON .line 1'), (b'\0', 'no valid JSON')])
def test_json_that_is_none(tmp_path, content, sentence):
    (tmp_path / 'a.json').write_bytes(content)
    with pytest.raises(UserError, match=f'a.json .*{sentence}'):
        read_json(tmp_path / 'a.json')


@pytest.mark.parametrize('text', ['["\\ud83d\\ude00", "\\u00fc", "\\\\ud800"]', '["\ufeff"]', '[NaN, 1e400, 12345678]'])
def test_json_that_is_some(tmp_path, text):
    (tmp_path / 'a.json').write_text(text)
    assert str(read_json(tmp_path / 'a.json')) == str(json.loads(text)) == str(parse_json(text, 'it'))


def test_many_categories_are_compared_in_one_pass(tmp_path):
    """Ten thousand took two seconds: each was counted among all."""
    names = [dict(id=index, name=f'name {index}') for index in range(200_000)]
    file = tmp_path / 'a.json'
    file.write_text(json.dumps(dict(categories=names)))
    assert read_categories(file) == names
    file.write_text(json.dumps(dict(categories=[*names, dict(id=7, name='other')])))
    with pytest.raises(UserError, match='two categories of the id 7'):
        read_categories(file)


@pytest.mark.parametrize(('category', 'sentence'), [
    (dict(id=1, name='a\ud800'), 'half a character in the name of categories.1.'),
    (dict(id=10**30, name='a'), r'categories\[1\] the id 10+, beyond 2')])
def test_categories_that_cannot_be_written(tmp_path, category, sentence):
    file = tmp_path / 'a.json'
    file.write_text(json.dumps(dict(categories=[dict(id=2, name='b'), category])))
    with pytest.raises(UserError, match=sentence):
        read_categories(file)


def test_names_that_are_no_text():
    for names in (['cat', os.fsdecode(b'\xff')], ['a\ud800']):
        with pytest.raises(UserError, match='is no text in UTF-8') as caught:
            category_names(names)
        assert pickle.loads(pickle.dumps(caught.value)).args == caught.value.args  # as between processes


@pytest.mark.parametrize('size', [2**33, 20 * 2**30])
def test_files_of_nothing_are_not_read(tmp_path, size):
    """A name and a size take no space on a disk, and all of the memory."""
    with (tmp_path / 'hollow').open('wb') as file:
        file.write(b'{"categories": [')
        file.truncate(size)
    for read in (read_text, read_json, read_categories, read_coco):
        with pytest.raises(UserError, match='hollow .*bytes, next to none of which were ever written'):
            read(tmp_path / 'hollow')
    for read in (open_image, mmcv.imread, fileio.get):
        with pytest.raises(OSError, match='next to none of which|are the most'):
            read(str(tmp_path / 'hollow'))
    with pytest.raises(UserError, match='hollow'):
        labels_in(tmp_path / 'hollow')


def test_a_large_file_is_read(tmp_path, monkeypatch):
    """Also where a part of it was never written, or the file system does not tell."""
    monkeypatch.setattr(files, 'LARGE', 2**16)
    with (tmp_path / 'half').open('wb') as file:
        file.write(bytes(2**19))
        file.truncate(2**20)
    assert len(read_plain(tmp_path / 'half')) == 2**20
    (tmp_path / 'full').write_bytes(b'a' * 2**20)
    assert read_plain(tmp_path / 'full') == b'a' * 2**20


def test_more_than_there_is_memory_for(tmp_path, monkeypatch):
    (tmp_path / 'a').write_bytes(b'a')

    class File(FileIO):
        """On a small machine."""

        def readall(self):
            raise MemoryError

    monkeypatch.setattr(files, 'open', lambda path, *_, **__: File(path), raising=False)
    with pytest.raises(UserError, match='a cannot be read .it has 1 bytes, more than there is memory for'):
        read_json(tmp_path / 'a')


def test_a_file_system_that_does_not_tell_what_was_written(tmp_path, monkeypatch):
    """Such as those of some containers: a large file is read, for it may be whole."""
    seek = os.lseek

    def untold(file, place, how):
        if how == os.SEEK_DATA:
            raise OSError(errno.EINVAL, 'Invalid argument')
        return seek(file, place, how)

    (tmp_path / 'large').write_bytes(b'')
    os.truncate(tmp_path / 'large', 2**28 + 1)
    with pytest.raises(OSError, match='ever written'), open_plain(tmp_path / 'large'):
        pass
    monkeypatch.setattr(os, 'lseek', untold)
    with open_plain(tmp_path / 'large') as file:
        assert file.read(1) == b'\0'
