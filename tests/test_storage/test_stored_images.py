"""Images in an object store are those of the folder they came from."""

import os
import re
import shutil

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from lgd_mm.datasets import IndexedImages, UnlabelledImages, ViewSampler
from lgd_mm.datasets.index import ImageIndex, build_index
from lgd_mm.engine.checks.storage_room import machines
from lgd_mm.errors import DataError, UserError
from lgd_mm.teacher_cache import TeacherCache
from lgd_mm.teacher_cache.rows import entry_type
from tests.object_store import client, upload
from tests.tiny import write_images, write_shards

PIPELINE = [dict(type='lgd_mm.LoadImage')]
COUNT = 30


@pytest.fixture(scope='session')
def folder(tmp_path_factory):
    """Images, and the same in shards."""
    root = tmp_path_factory.mktemp('stored')
    write_images(root / 'images', COUNT)
    write_shards(root / 'shards', root / 'images', 10, '{:03}.tar')
    build_index(root / 'shards', root / 'index')
    return root


@pytest.fixture
def bucket(store, server, folder, request):
    name = f'images-{abs(hash(request.node.name)) % 10**9}-{os.getpid()}'
    upload(server, folder, name)
    return f's3://{name}'


@pytest.mark.parametrize('kind', ['shards', 'images'])
def test_an_index_made_there_is_the_one_made_here(bucket, store, folder, tmp_path, kind):
    store.share = 0.45
    assert build_index(f'{bucket}/{kind}', tmp_path / 'there') == build_index(folder / kind, tmp_path / 'here') == COUNT
    assert store.failed
    there, here = ImageIndex(tmp_path / 'there'), ImageIndex(tmp_path / 'here')
    assert (there.digest, there.sources(), there.kind) == (here.digest, here.sources(), here.kind)
    assert [there[number] for number in range(COUNT)] == [here[number] for number in range(COUNT)]
    assert there.root == f'{bucket}/{kind}'


@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('kind', ['shards', 'images'])
def test_pixels_are_those_of_the_folder(bucket, store, folder, tmp_path, kind, workers):
    build_index(f'{bucket}/{kind}', tmp_path / 'index')
    store.share = 0.2
    theirs = UnlabelledImages(str(folder / 'images'), pipeline=PIPELINE)
    ours = IndexedImages(str(tmp_path / 'index'), data_root=f'{bucket}/{kind}', pipeline=PIPELINE)
    assert len(ours) == len(theirs) == COUNT
    sampler = ViewSampler(ours, seed=3, sequential=True)
    found = list(DataLoader(ours, 5, sampler=sampler, num_workers=workers, collate_fn=list))
    keys = list(ViewSampler(theirs, seed=3, sequential=True))
    assert sorted(key.picture for key in keys) == list(range(COUNT))
    for key, view in zip(keys, sum(found, [])):
        assert np.array_equal(view['img'], theirs[key]['img'])
    assert not ours.unreadable


def test_an_index_in_the_store_names_its_own_bucket_only(bucket, server, store, folder, tmp_path):
    """Nothing in a file decides what is fetched."""
    build_index(f'{bucket}/shards', tmp_path / 'index')
    with pytest.raises(UserError, match=f'is of images in {bucket}/shards, which is asked for nothing unless you say '
                                        f'so: set train_dataloader.dataset.data_root={bucket}/shards'):
        IndexedImages(str(tmp_path / 'index'), pipeline=PIPELINE)
    for file in (tmp_path / 'index').iterdir():
        client(server).put_object(Bucket=bucket[5:], Key=f'moved/{file.name}', Body=file.read_bytes())
    other = f'other-{bucket[5:]}'
    upload(server, tmp_path / 'index', other)
    images = IndexedImages(f'{bucket}/moved', pipeline=PIPELINE)
    assert images[0, 0, 0]['img'].shape == (48, 48, 3)
    with pytest.raises(UserError, match='asked for nothing unless you say so'):
        IndexedImages(f's3://{other}', pipeline=PIPELINE)


def test_an_index_that_is_not_there(bucket, store):
    with pytest.raises(UserError, match=r'index\.json does not exist, so that .*gone is no index of images: correct '
                                        'its name, or make one .* lgd-mm index s3://'):
        ImageIndex(f'{bucket}/gone')


def test_a_shard_that_was_rewritten_or_cut(bucket, server, store, folder, tmp_path, monkeypatch):
    content = bytearray((folder / 'shards' / '001.tar').read_bytes())
    images = IndexedImages(str(folder / 'index'), data_root=f'{bucket}/shards', pipeline=PIPELINE)
    place = images.index[12].offset + 100
    content[place] ^= 1
    client(server).put_object(Bucket=bucket[5:], Key='shards/001.tar', Body=bytes(content))
    client(server).put_object(Bucket=bucket[5:], Key='shards/002.tar', Body=bytes(content[:5000]))
    for number in range(COUNT):
        images[number, 0, 0]
    assert len(images.unreadable) == 1 + 10 and any('001.tar' in path for path in images.unreadable)
    with pytest.raises(DataError, match=rf'{bucket}/shards/002\.tar is no whole uncompressed tar'):
        build_index(f'{bucket}/shards', tmp_path / 'new')
    assert not (tmp_path / 'new').exists()


def test_pieces_of_the_next_images_are_fetched_before_they_are_asked_for(bucket, store, folder, monkeypatch):
    told = []
    monkeypatch.setattr('lgd_mm.datasets.indexed_images.expect', lambda ranges: told.append(list(ranges)))
    monkeypatch.setattr('lgd_mm.datasets.view_sampler.AT_A_TIME', 10)
    images = IndexedImages(str(folder / 'index'), data_root=f'{bucket}/shards', pipeline=PIPELINE)
    keys = iter(ViewSampler(images, seed=0))
    first = [next(keys) for _ in range(10)]
    assert [len(each) for each in told] == [10, 10]  # these and the next
    assert told[0] == [(f'{bucket}/shards/{where.source}', where.offset, where.size)
                       for where in (images.index[key.picture] for key in first)]
    assert len(list(keys)) == 20 and [len(each) for each in told] == [10, 10, 10]


def test_bytes_of_what_is_mixed(bucket, folder):
    images = IndexedImages(str(folder / 'index'), data_root=f'{bucket}/shards')
    size = sum(images.index[number].size for number in range(COUNT))
    assert images.bytes_fetched(COUNT) == pytest.approx(size)
    assert images.bytes_fetched(COUNT // 2) == pytest.approx(size / 2)
    assert IndexedImages(str(folder / 'index'), data_root=str(folder / 'shards')).bytes_fetched(COUNT) == 0


@pytest.mark.parametrize('count, mixed', [(30, 30), (10**6, 250_880), (10**9, 64 * 16 * 256)])
def test_images_that_are_mixed_at_a_time(count, mixed):
    assert ViewSampler(range(count), seed=0, sequential=True).mixed == mixed
    assert ViewSampler(range(count), seed=0).mixed == count


def test_machines_of_a_run(monkeypatch):
    monkeypatch.setattr('lgd_mm.engine.checks.storage_room.get_world_size', lambda: 32)
    for variables, number in (({}, 1), (dict(LOCAL_WORLD_SIZE='8'), 4), (dict(SLURM_NNODES='2'), 2)):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert machines() == number


def test_a_damaged_index_is_not_followed_ahead(folder, tmp_path):
    """What is fetched ahead is not compared; it may not lead outside of what the index holds."""
    copied = shutil.copytree(folder / 'index', tmp_path / 'index')
    rows = np.load(copied / 'images.npy')
    rows['source'][3] = 2**31
    np.save(copied / 'images.npy', rows)
    index = ImageIndex(copied)
    assert len(list(index.ranges(np.arange(COUNT)))) == COUNT - 1
    index._of_sources = index._of_sources.copy()
    index._of_sources['name'][1] = 2**40
    assert len(list(index.ranges(np.arange(COUNT)))) == COUNT - 1 - 10


@pytest.mark.parametrize('name', ['a//1.png', 'a/../1.png', '../1.tar'])
def test_names_that_no_folder_has(bucket, server, store, name, tmp_path):
    client(server).put_object(Bucket=bucket[5:], Key=f'odd/{name}', Body=b'content')
    with pytest.raises(UserError, match=f"{bucket}/odd holds '{re.escape(name)}', which no folder could: give that"):
        build_index(f'{bucket}/odd', tmp_path / 'index')


@pytest.mark.parametrize('name', ['a b+c%20.tar', 'a#b@1+2.tar', '[a]*?.tar', 'ä:\u4e2d.tar'])
def test_names_that_a_store_may_have(bucket, server, store, folder, name, tmp_path):
    client(server).put_object(Bucket=bucket[5:], Key=f'odd/deep {name}/{name}',
                              Body=(folder / 'shards' / '001.tar').read_bytes())
    assert build_index(f'{bucket}/odd', tmp_path / 'index') == 10
    images = IndexedImages(str(tmp_path / 'index'), data_root=f'{bucket}/odd', pipeline=PIPELINE)
    images.expect(np.arange(10))
    theirs = UnlabelledImages(str(folder / 'images'), pipeline=PIPELINE)
    for number in range(10):
        assert np.array_equal(images[number, 0, 0]['img'], theirs[10 + number, 0, 0]['img'])
    assert not images.unreadable


def test_a_teacher_cache_in_the_store(bucket, server, store, tmp_path):
    about = dict(teacher={}, fingerprint='', embed_dim=8, pictures=20, data='', pipeline=[], seed=0, views=2)
    cache = TeacherCache.create(tmp_path / 'cache', about)
    for cut, part, images in cache.parts():
        rows = np.zeros(len(images), entry_type(8))
        rows['embedding'] = torch.randn(len(images), 8, generator=torch.Generator().manual_seed(cut)).numpy()
        cache.write(cut, part, rows)
    cache.write_boxes()
    upload(server, tmp_path / 'cache', f'cache-{bucket[5:]}')
    there = TeacherCache(f's3://cache-{bucket[5:]}')
    assert there.missing() == [] and there.missing_boxes() == []
    for cut in range(2):
        for image in range(20):
            assert there.entry(cut, image) == cache.entry(cut, image)
    client(server).delete_object(Bucket=f'cache-{bucket[5:]}', Key='view0001/00000.npy')
    assert [part[:2] for part in TeacherCache(f's3://cache-{bucket[5:]}').missing()] == [(1, 0)]
    with pytest.raises(UserError, match='write the cache into a folder here, and copy that'):
        TeacherCache.create(f's3://cache-{bucket[5:]}', about)
