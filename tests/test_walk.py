"""Folders are looked through to an end, each once, however deep they lie and whatever links lead to them."""

import os
import subprocess

import pytest
from PIL import Image

from lgd_mm.datasets.labelled_images import class_folders
from lgd_mm.errors import UserError
from lgd_mm.io.image_files import files_below
from lgd_mm.io.walk import is_hidden, walk
from lgd_mm.own_data.class_folders import read_class_folders
from lgd_mm.own_data.segmentation import _files
from lgd_mm.preparation.tree import Tree


@pytest.fixture
def deep(tmp_path):
    """More folders below one another than Python has calls."""
    (tmp_path / 'deep').mkdir()
    here = os.open(tmp_path / 'deep', os.O_RDONLY)
    for _ in range(1200):
        os.mkdir('d', dir_fd=here)
        inner = os.open('d', os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(os.open('1.png', os.O_CREAT, dir_fd=here))
    os.close(here)
    yield tmp_path / 'deep'
    subprocess.run(['rm', '-r', tmp_path / 'deep'], check=True)  # Python's own function calls itself, too


@pytest.fixture
def doubling(tmp_path):
    """26 folders with two links to the next have 67 million paths."""
    for number in range(26):
        folder = tmp_path / 'many' / f'{number}'
        folder.mkdir(parents=True)
        (folder / '1.png').touch()
        for name in 'ab':
            (folder / name).symlink_to(tmp_path / 'many' / f'{(number + 1) % 26}')
    return tmp_path / 'many'


def test_deep_folders(deep, monkeypatch):
    asked = []
    monkeypatch.setattr(os.path, 'realpath', lambda path, **_: asked.append(path) or os.path.abspath(path))
    assert Tree(deep).files('') == ['d/' * 1200 + '1.png'] and len(list(files_below(deep))) == 1
    assert len(asked) == 2  # it takes a step for each folder above
    with pytest.raises(UserError, match='has files below 100 folders and more, such as 1.png'):
        _files(deep, ['.png'])


def test_links_that_double(doubling):
    for found in (Tree(doubling).files('0'), list(files_below(doubling / '0'))):
        assert len(found) == 26
    assert [path.name for path in _files(doubling / '0', ['.png'])] == ['1.png']


def test_the_first_name_stays(tmp_path):
    """On every file system: a folder is listed in the order of its names."""
    for name in 'zyxw':
        (tmp_path / name).mkdir()
    (tmp_path / 'w/1.png').touch()
    (tmp_path / 'a').symlink_to('w')
    assert [entry.path for entry in walk(tmp_path, is_hidden)] == [f'{tmp_path}/a/1.png']


def test_what_one_may_not_look_into(tmp_path, monkeypatch):
    (tmp_path / 'a').mkdir()
    listed = os.scandir
    monkeypatch.setattr(os, 'scandir', lambda path: os.open('/', os.O_WRONLY) if path.endswith('a') else listed(path))
    assert list(walk(tmp_path, is_hidden)) == [] == list(walk(tmp_path / 'none', is_hidden, strict=True))
    with pytest.raises(OSError, match='Is a directory'):
        list(walk(tmp_path, is_hidden, strict=True))


@pytest.mark.parametrize('name', ['loop', 'a\0b', 'a' * 5000], ids=['loop', 'nul', 'long'])
def test_names_of_no_folder(tmp_path, name):
    (tmp_path / 'loop').symlink_to('loop')
    with pytest.raises(UserError, match='is no folder: give one with train/CLASS') as caught:
        read_class_folders(f'{tmp_path}/{name}', True)
    assert len(str(caught.value)) < 500


def test_a_part_that_is_a_link_to_itself(tmp_path):
    (tmp_path / 'train/a').mkdir(parents=True)
    Image.new('RGB', (8, 8)).save(tmp_path / 'train/a/1.png')
    (tmp_path / 'val').symlink_to('val')
    with pytest.raises(UserError, match='has no folder val'):
        read_class_folders(tmp_path, True)


def test_links_in_a_circle_lead_to_no_folder(tmp_path):
    (tmp_path / 'a.png').touch()
    (tmp_path / 'loop').symlink_to('loop')
    (tmp_path / 'b').symlink_to('c')
    (tmp_path / 'c').symlink_to('b')
    assert [entry.name for entry in walk(tmp_path, is_hidden)] == ['a.png', 'b', 'c', 'loop']
    assert Tree(tmp_path).subfolders('') == [] and class_folders(tmp_path) == {}
    images = sorted(os.path.basename(path) for path in files_below(tmp_path))
    assert images == ['a.png', 'b', 'c', 'loop']  # to be told as unreadable
    lost: list[str] = []
    assert [os.path.basename(path) for path in files_below(tmp_path, lost)] == ['a.png'] and len(lost) == 3
    assert [path.name for path in _files(tmp_path, ['.png'])] == ['a.png']
