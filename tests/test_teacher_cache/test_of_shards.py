"""A cache of shards or of an index is that of the folder; what was damaged in it is told before it is taught."""

import json

import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch.utils.data import DataLoader, default_collate

from lgd_mm.datasets import ViewSampler
from lgd_mm.datasets.index import build_index
from lgd_mm.engine.fill_teacher_cache import CacheFiller
from lgd_mm.errors import DataError, UserError
from lgd_mm.registry import DATASETS
from lgd_mm.teacher_cache import TeacherCache, store
from tests.tiny import write_images, write_lgd_config, write_shards

IMAGES, VIEWS = 9, 2
PIPELINE = [dict(type='lgd_mm.LoadImage'), dict(type='lgd_mm.RandomView', size=32), dict(type='lgd_mm.PackView')]


@pytest.fixture
def sets(tmp_path, monkeypatch):
    """Options of three data sets of the same images, and a config."""
    monkeypatch.setattr(store, 'PART', 4)
    write_images(tmp_path / 'pictures', IMAGES)
    write_shards(tmp_path / 'shards', tmp_path / 'pictures', 5)
    build_index(tmp_path / 'shards', tmp_path / 'index')
    config = write_lgd_config(tmp_path, tmp_path / 'pictures', train_dataloader=dict(dataset=dict(pipeline=PIPELINE)))
    return config, dict(
        Images=dict(type='lgd_mm.UnlabelledImages', data_root=str(tmp_path / 'pictures')),
        ShardedImages=dict(type='lgd_mm.ShardedImages', data_root=str(tmp_path / 'shards')),
        IndexedImages=dict(type='lgd_mm.IndexedImages', index=str(tmp_path / 'index')))


def fill(config, options, out, **more):
    cfg = Config.fromfile(config)
    options = {'train_dataloader.dataset': dict(options, _delete_=True, pipeline=PIPELINE)} if options else {}
    filler = CacheFiller(str(config), str(out), VIEWS, cfg_options=options, **more)
    filler.fill()
    return cfg


def epoch(options, cache, number=0, kind=''):
    data = DATASETS.build(dict(options, type=f'lgd_mm.Cached{kind}', cache=str(cache), pipeline=PIPELINE))
    sampler = ViewSampler(data, views=VIEWS, seed=0)
    sampler.set_epoch(number)
    batches = list(DataLoader(data, 4, sampler=sampler, collate_fn=default_collate))
    return {key: torch.cat([batch[key] for batch in batches]) for key in batches[0]}


def test_the_cache_is_that_of_the_folder(sets, tmp_path):
    config, options = sets
    for kind, given in options.items():
        fill(config, given, tmp_path / kind)
    files = sorted(path.relative_to(tmp_path / 'Images') for path in (tmp_path / 'Images').rglob('*.npy'))
    assert len(files) == 3 * (VIEWS + 1)
    for kind in options:
        for file in files:
            assert (tmp_path / kind / file).read_bytes() == (tmp_path / 'Images' / file).read_bytes(), (kind, file)
    ours = [epoch(given, tmp_path / kind, 1, kind) for kind, given in options.items()]
    for other in ours[1:]:
        assert all(torch.equal(ours[0][key], other[key]) for key in ours[0])
    # A cache of the folder serves the shards that were made of it; that of an index goes by contents, too.
    assert torch.equal(epoch(options['ShardedImages'], tmp_path / 'Images', 1, 'ShardedImages')['teacher'],
                       ours[0]['teacher'])
    with pytest.raises(UserError, match='of 9 other images'):
        epoch(options['IndexedImages'], tmp_path / 'Images', 1, 'IndexedImages')


def test_no_flipped_bit_is_taught(sets, tmp_path):
    """In any file of entries or boxes: a row is whole, or told with its file and image."""
    config, _ = sets
    fill(config, None, tmp_path / 'cache', crops=2, crop_scale=(0.1, 0.2))
    whole, numbers = TeacherCache(tmp_path / 'cache'), np.random.default_rng(0)
    told = 0
    for file in sorted((tmp_path / 'cache').rglob('*.npy')):
        content = file.read_bytes()
        for place in numbers.choice(8 * len(content), 12, replace=False):
            damaged = bytearray(content)
            damaged[place // 8] ^= 1 << place % 8
            file.write_bytes(damaged)
            cache = TeacherCache(tmp_path / 'cache')
            for image in range(IMAGES):
                try:
                    for cut in range(cache.cuts):
                        assert cache.entry(cut, image) == whole.entry(cut, image)
                    assert cache.boxes(image) == whole.boxes(image)
                except (DataError, UserError) as error:
                    assert file.name in str(error) and 'tools/cache_teacher.py' in str(error)
                    told += 1
        file.write_bytes(content)
    assert told >= 12 * 15  # each of the bits, those in heads for every image of the part


def test_a_cache_without_checksums_goes_on_without(sets, tmp_path, monkeypatch):
    config, options = sets
    monkeypatch.setattr(store, 'FORMAT', store.WITHOUT_CHECKSUMS)
    fill(config, None, tmp_path / 'old')
    (tmp_path / 'old' / 'view0001' / '00002.npy').unlink()
    monkeypatch.undo()
    monkeypatch.setattr(store, 'PART', 4)
    fill(config, None, tmp_path / 'old')
    cache = TeacherCache(tmp_path / 'old')
    assert not cache.checked and not cache.missing() and cache.about['format'] == 2
    fill(config, None, tmp_path / 'new')
    assert TeacherCache(tmp_path / 'new').checked
    old, new = (epoch(options['Images'], tmp_path / name, kind='Images') for name in ('old', 'new'))
    assert all(torch.equal(old[key], new[key]) for key in old)


def test_a_cache_whose_entries_alone_have_checksums_goes_on(sets, tmp_path):
    """As they were written before what is said of a cache had one."""
    config, options = sets
    fill(config, None, tmp_path / 'cache')
    file = tmp_path / 'cache' / 'cache.json'
    about = json.loads(file.read_text())
    del about['check']
    file.write_text(json.dumps({**about, 'format': 3}))
    assert TeacherCache(tmp_path / 'cache').checked and not TeacherCache(tmp_path / 'cache').missing()
    fill(config, None, tmp_path / 'cache', crops=2, crop_scale=(0.1, 0.2))
    cache = TeacherCache(tmp_path / 'cache')
    assert cache.checked and not cache.missing() and cache.about['format'] == 3 and cache.cuts == VIEWS + 2
    assert epoch(options['Images'], tmp_path / 'cache', kind='Images')


def test_hundreds_of_parts_keep_few_files_open(sets, tmp_path, monkeypatch):
    config, options = sets
    fill(config, None, tmp_path / 'cache')
    monkeypatch.setattr(store, 'OPEN', 2)
    cache = TeacherCache(tmp_path / 'cache')
    for image in [*range(IMAGES), *range(IMAGES)]:
        cache.entry(1, image)
        assert len(cache._open) <= 2
