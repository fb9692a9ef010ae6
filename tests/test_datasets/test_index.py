"""An index finds every image where it lies, in the order of a folder, and what was damaged is told, not taught."""

import json
import os
import pickle
import shutil
import tarfile

import numpy as np
import pytest
from PIL import Image

from lgd_mm.datasets import ShardedImages, UnlabelledImages, UnreadableImage, ViewSampler
from lgd_mm.datasets.index import ImageIndex, build, build_index
from lgd_mm.datasets.index.rows import shards_checksum
from lgd_mm.datasets.indexed_images import IndexedImages, Marks
from lgd_mm.errors import DataError, UserError
from lgd_mm.io.rows import about_checksum

NAMES = ['a.jpg', 'b.png', 'a/x.jpg', 'a/b/1.png', 'a/c.jpg', 'z.jpg', 'a/\udce4 \n.jpg', 'ä/1.jpg', 'a-b/1.jpg']
PIPELINE = [dict(type='lgd_mm.LoadImage')]


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    """A folder, and two tars that hold its images in turn."""
    root = tmp_path_factory.mktemp('images')
    numbers = np.random.default_rng(0)
    for name in NAMES:
        path = os.fsencode(root / 'folder' / name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            Image.fromarray(numbers.integers(0, 256, (20, 30, 3), np.uint8)).save(
                file, 'PNG' if name.endswith('png') else 'JPEG')
    (root / 'folder' / 'notes.txt').write_text('no image')
    (root / 'shards').mkdir()
    for shard in range(2):
        with tarfile.open(root / 'shards' / f'{shard:03d}.tar', 'w') as tar:
            for name in sorted(NAMES)[shard::2]:
                tar.add(root / 'folder' / name, name)
    return root


@pytest.fixture(scope='module')
def indexes(images):
    for kind in ('folder', 'shards'):
        assert build_index(images / kind, images / f'{kind}.index') == len(NAMES)
    return images


@pytest.mark.parametrize('kind, listed', [('folder', UnlabelledImages), ('shards', ShardedImages)])
def test_images_are_those_of_the_list_in_its_order(indexes, kind, listed):
    data = IndexedImages(str(indexes / f'{kind}.index'), pipeline=PIPELINE)
    theirs = listed(str(indexes / kind), pipeline=PIPELINE)
    assert len(data) == len(theirs) == len(NAMES)
    for index in range(len(data)):
        assert np.array_equal(data[index, 0, 0]['img'], theirs[index, 0, 0]['img'])


def test_paths_with_odd_bytes(indexes):
    data = IndexedImages(str(indexes / 'folder.index'))
    found = [data.get_data_info(index)['img_path'] for index in range(len(data))]
    assert found == sorted((os.path.join(indexes, 'folder', name) for name in NAMES), key=os.fsencode)


def test_the_digest_is_of_the_images_and_not_of_where_they_lie(indexes, tmp_path):
    folder, shards = (ImageIndex(indexes / f'{kind}.index') for kind in ('folder', 'shards'))
    assert folder.digest == shards.digest and (folder.kind, shards.kind) == ('folders', 'shards')
    shutil.copytree(indexes / 'folder', tmp_path / 'other')
    (tmp_path / 'other' / 'a.jpg').write_bytes((tmp_path / 'other' / 'z.jpg').read_bytes())
    build_index(tmp_path / 'other', tmp_path / 'index')
    assert ImageIndex(tmp_path / 'index').digest != folder.digest


@pytest.mark.parametrize('kind', ['folder', 'shards'])
def test_any_number_of_processes_and_parts_writes_the_same(indexes, tmp_path, kind, monkeypatch):
    monkeypatch.setattr(build, 'TOGETHER', 2)
    build_index(indexes / kind, tmp_path / 'index', jobs=2)
    for file in ('images.npy', 'names.bin', 'sources.npy', 'index.json'):
        assert (tmp_path / 'index' / file).read_bytes() == (indexes / f'{kind}.index' / file).read_bytes()
    assert not (tmp_path / 'index.parts').exists()


def test_stopped_it_goes_on(images, tmp_path, monkeypatch):
    monkeypatch.setattr(build, '_write', lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        build_index(images / 'shards', tmp_path / 'index')
    parts = sorted((tmp_path / 'index.parts').iterdir())
    assert len(parts) == 2 and not (tmp_path / 'index').exists()
    monkeypatch.undo()
    times = [part.stat().st_mtime_ns for part in parts]
    monkeypatch.setattr(build, 'remove', lambda folder: None)
    assert build_index(images / 'shards', tmp_path / 'index') == len(NAMES)
    assert [part.stat().st_mtime_ns for part in parts] == times  # nothing was read again


def test_of_two_that_make_one_index_the_second_is_told(images, tmp_path, monkeypatch):
    def first(*arguments, real=build._write):
        monkeypatch.setattr(build, '_write', real)
        build_index(images / 'shards', tmp_path / 'index')
        return real(*arguments)

    monkeypatch.setattr(build, '_write', first)
    with pytest.raises(UserError, match='index was made by another process meanwhile, and is left as it is'):
        build_index(images / 'shards', tmp_path / 'index')
    assert len(ImageIndex(tmp_path / 'index')) == len(NAMES)
    assert [path.name for path in tmp_path.iterdir()] == ['index']


@pytest.mark.parametrize('alone', [False, True])
def test_a_compressed_shard_is_not_left_out(images, tmp_path, alone):
    (tmp_path / 'shards').mkdir()
    if not alone:
        shutil.copy(images / 'shards' / '000.tar', tmp_path / 'shards')
    (tmp_path / 'shards' / '001.tar.gz').write_bytes(b'')
    said = r'001\.tar\.gz is compressed, and 0 more: images are read out of plain tars'
    with pytest.raises(UserError, match=said):
        build_index(tmp_path / 'shards', tmp_path / 'index')
    with pytest.raises(UserError, match=said):
        ShardedImages(str(tmp_path / 'shards'), pipeline=PIPELINE).full_init()


def test_archives_beside_images_in_folders_are_left_alone(images, tmp_path):
    shutil.copytree(images / 'folder', tmp_path / 'folder')
    (tmp_path / 'folder' / 'labels.tgz').write_bytes(b'')
    assert build_index(tmp_path / 'folder', tmp_path / 'index') == len(NAMES)


def test_overlapping_shards_are_merged_and_others_read_one_by_one(indexes, tmp_path, monkeypatch):
    (tmp_path / 'apart').mkdir()
    for shard, names in enumerate((sorted(NAMES)[:5], sorted(NAMES)[5:])):
        with tarfile.open(tmp_path / 'apart' / f'{shard}.tar', 'w') as tar:
            for name in reversed(names):
                tar.add(indexes / 'folder' / name, name)
    together = []
    monkeypatch.setattr(build, '_merged', lambda found, parts, real=build._merged: together.append(parts) or
                        real(found, parts))
    build_index(tmp_path / 'apart', tmp_path / 'index')
    assert together == [[0], [1]]
    assert ImageIndex(tmp_path / 'index').digest == ImageIndex(indexes / 'folder.index').digest


def test_moved_images_are_found(indexes, tmp_path):
    shutil.copytree(indexes / 'shards', tmp_path / 'moved')
    data = IndexedImages(str(indexes / 'shards.index'), data_root=str(tmp_path / 'moved'), pipeline=PIPELINE)
    assert str(tmp_path / 'moved') in data[0, 0, 0]['img_path']


def test_a_worker_opens_the_index_itself(indexes):
    index = ImageIndex(indexes / 'folder.index')
    assert len(pickle.dumps(index)) < 1000
    assert pickle.loads(pickle.dumps(index))[3] == index[3]


@pytest.mark.parametrize('checked', [True, False])
@pytest.mark.parametrize('kind', ['folder', 'shards'])
def test_no_flipped_bit_is_taught(images, tmp_path, kind, checked):
    """Each bit of an index: the images are the same, or the damage is told; a name may lead to no file."""
    build_index(images / kind, tmp_path / 'index', checked=checked)
    right = [image['img'] for image in _views(tmp_path / 'index')]
    numbers = np.random.default_rng(1)
    harmless = told = 0
    for file in ('images.npy', 'names.bin', 'sources.npy', 'index.json'):
        content = (tmp_path / 'index' / file).read_bytes()
        for place in numbers.choice(8 * len(content), 40, replace=False):
            damaged = bytearray(content)
            damaged[place // 8] ^= 1 << place % 8
            (tmp_path / 'index' / file).write_bytes(damaged)
            try:
                found = [image['img'] for image in _views(tmp_path / 'index')]
                assert len(found) == len(right) and all(map(np.array_equal, found, right)), (file, place)
                harmless += 1
            except (UserError, UnreadableImage):
                told += 1
        (tmp_path / 'index' / file).write_bytes(content)
    assert told > 130  # the others are in names of which nothing is read


def _views(folder):
    data = IndexedImages(str(folder), pipeline=PIPELINE)
    data.full_init()
    return [data.view(index, 0) for index in range(len(data))]


def test_a_flipped_bit_of_an_image_is_told_and_its_neighbour_taken(indexes, tmp_path):
    shutil.copytree(indexes / 'shards', tmp_path / 'shards')
    build_index(tmp_path / 'shards', tmp_path / 'index')
    place = ImageIndex(tmp_path / 'index')[2]
    shard = tmp_path / 'shards' / place.source
    content = bytearray(shard.read_bytes())
    content[place.offset + place.size // 2] ^= 4
    shard.write_bytes(content)
    data = IndexedImages(str(tmp_path / 'index'), pipeline=PIPELINE)
    assert np.array_equal(data[2, 0, 0]['img'], data[3, 0, 0]['img'])
    assert data.unreadable == [data.get_data_info(2)['img_path']] and place.source in data.unreadable[0]
    with pytest.raises(UnreadableImage, match='not those that were indexed'):
        data.view(2, 0)


def test_a_shard_that_was_written_anew_is_told_once(indexes, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr('lgd_mm.datasets.image_folder.print_log', lambda line, **_: told.append(line))
    shutil.copytree(indexes / 'shards', tmp_path / 'shards')
    build_index(tmp_path / 'shards', tmp_path / 'index')
    os.truncate(tmp_path / 'shards' / '000.tar', 600)
    data = IndexedImages(str(tmp_path / 'index'), pipeline=PIPELINE)
    for index in range(len(data)):
        data[index, 0, 0]
    assert len(told) == 1 and '000.tar#' in told[0] and 'run lgd-mm index again, and begin a new run' in told[0]
    assert len(data.unreadable) == len(sorted(NAMES)[::2]) and all('000.tar#' in path for path in data.unreadable)


def test_an_index_that_is_cut_off_while_it_is_read_is_told(indexes, tmp_path):
    shutil.copytree(indexes / 'folder.index', tmp_path / 'index')
    index = ImageIndex(tmp_path / 'index')
    os.truncate(tmp_path / 'index' / 'images.npy', os.path.getsize(tmp_path / 'index' / 'images.npy') - 1)
    assert index[len(NAMES) - 2].name
    with pytest.raises(DataError, match=r'images\.npy is damaged.*where image 8 stands'):
        index[len(NAMES) - 1]
    for number in (-1, len(NAMES)):
        with pytest.raises(IndexError):
            index[number]


def test_rows_are_read_before_they_are_asked_for(indexes, monkeypatch):
    """All that the sampler says, where they stand."""
    asked = []
    monkeypatch.setattr(os, 'posix_fadvise', lambda file, at, size, advice: asked.append(os.pread(file, size, at)))
    data = IndexedImages(str(indexes / 'folder.index'))
    first = next(iter(ViewSampler(data, seed=0)))
    rows = np.load(indexes / 'folder.index' / 'images.npy')
    assert len(asked) == len(NAMES) and set(asked) == {row.tobytes() for row in rows}
    assert asked[0] == rows[first.picture].tobytes()


def test_a_cut_shard_is_told(indexes, tmp_path):
    shutil.copytree(indexes / 'shards', tmp_path / 'shards')
    data = IndexedImages(str(indexes / 'shards.index'), data_root=str(tmp_path / 'shards'), pipeline=PIPELINE)
    data.full_init()
    os.truncate(tmp_path / 'shards' / '001.tar', 1024)
    with pytest.raises(UnreadableImage, match=r'001\.tar'):
        data.view(1, 0)


@pytest.mark.parametrize('about, word', [
    ({}, 'index.json'), (dict(images=0), 'images'), (dict(images=10**12), 'images.npy'), (dict(images=True), 'images'),
    (dict(kind='pickle'), 'kind'), (dict(format=2), 'another version'), (dict(root=5), 'root')])
def test_an_odd_index_is_one_sentence(indexes, tmp_path, about, word):
    shutil.copytree(indexes / 'folder.index', tmp_path / 'index')
    said = json.loads((tmp_path / 'index' / 'index.json').read_text())
    about = {**said, **about} if about else None
    (tmp_path / 'index' / 'index.json').write_text(
        json.dumps(dict(about, check=about_checksum(about))) if about else '{')
    with pytest.raises(UserError, match=word):
        ImageIndex(tmp_path / 'index')


@pytest.mark.parametrize('kind, old, new', [
    ('shards', b'000.tar', b'/00.tar'), ('shards', b'000.tar', b'../.tar'), ('folder', b'x.jpg', b'..\0pg'),
    ('folder', b'x.jpg', b'/.jpg')])
def test_an_index_leads_nowhere_else(images, tmp_path, kind, old, new):
    """Not even with checksums that fit: those of contents are compared later."""
    build_index(images / kind, tmp_path / 'index')
    names = tmp_path / 'index' / 'names.bin'
    names.write_bytes(names.read_bytes().replace(old, new))
    if kind == 'shards':
        with pytest.raises(UserError, match=r'names\.bin is damaged, or sources\.npy beside it'):
            ImageIndex(tmp_path / 'index')
    about = json.loads((tmp_path / 'index' / 'index.json').read_text())
    about['named'] = shards_checksum(np.load(tmp_path / 'index' / 'sources.npy').tobytes(), names.read_bytes())
    (tmp_path / 'index' / 'index.json').write_text(json.dumps(dict(about, check=about_checksum(about))))
    index = ImageIndex(tmp_path / 'index')
    with pytest.raises(DataError, match='outside of its root'):
        [index[number] for number in range(len(index))]


def test_mistakes_are_told(tmp_path, images):
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='holds no image'):
        build_index(tmp_path / 'empty', tmp_path / 'index')
    with pytest.raises(UserError, match='exists already'):
        build_index(images / 'folder', tmp_path / 'empty')
    with tarfile.open(tmp_path / 'empty' / '0.tar', 'w') as tar:
        tar.add(images / 'folder' / 'notes.txt', 'notes.txt')
    with pytest.raises(UserError, match='hold no image'):
        build_index(tmp_path / 'empty', tmp_path / 'index')
    (tmp_path / 'empty' / '0.tar').write_bytes(b'x' * 3000)
    with pytest.raises(DataError, match=r'0\.tar is no whole'):
        build_index(tmp_path / 'empty', tmp_path / 'index')


def test_marks_are_a_few_of_many():
    marks = Marks(most=50)
    numbers = np.random.default_rng(0).choice(10**9, 50, replace=False).tolist()
    for number in numbers:
        assert not marks[number]
        marks[number] = True
    assert marks.numbers() == sorted(numbers) and all(marks[number] for number in numbers)
    assert not any(marks[number] for number in range(1000))
    with pytest.raises(DataError, match='50 images cannot be read'):
        marks[1] = True
