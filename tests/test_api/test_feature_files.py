"""Features in files: those that embed() gives, for as many images as there are."""

import csv
import math
import sys

import numpy as np
import pandas
import pytest
import torch
from pyarrow import parquet

import lgd_mm
from lgd_mm.api import embedding, feature_files, write_features
from lgd_mm.api.feature_paths import check_features
from lgd_mm.errors import UserError

pytestmark = pytest.mark.usefixtures('small_batches')


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(embedding, 'BATCH', 6)
    monkeypatch.setattr(embedding, 'workers', lambda processes: (0, ''))
    monkeypatch.setattr(feature_files, 'GROUP', 8)


@pytest.fixture(scope='module')
def student(run):
    return lgd_mm.load_student(run.out)


@pytest.mark.parametrize('embeddings', [False, True])
def test_they_are_those_of_embed(student, photos, tmp_path, embeddings):
    found = lgd_mm.embed(student, photos)
    wanted = (found.embeddings if embeddings else found.features).numpy()
    array = write_features(student, photos, tmp_path / 'a.npy', embedding=embeddings)
    table = write_features(student, photos, tmp_path / 'a.parquet', embedding=embeddings)
    assert (array.images, array.width, array.unreadable) == (20, wanted.shape[1], [])
    assert np.array_equal(np.load(array.file, mmap_mode='r', allow_pickle=False), wanted)
    with array.names.open(newline='') as file:
        assert [row['picture'] for row in csv.DictReader(file)] == found.paths
    frame = pandas.read_parquet(table.file)
    assert frame['picture'].tolist() == found.paths
    assert np.array_equal(np.stack(frame['features']), wanted) and wanted.dtype == np.float32
    assert parquet.ParquetFile(table.file).num_row_groups == math.ceil(20 / 12)  # batches of 6, from 8 rows on


def test_what_cannot_be_read_is_left_out(student, photos, tmp_path):
    (tmp_path / 'broken.png').write_text('no image')
    paths = [tmp_path / 'broken.png', *sorted(photos.rglob('*.png'))[:7], tmp_path / 'broken.png']
    done = write_features(student, paths, tmp_path / 'a.npy')
    assert (done.images, len(done.unreadable), np.load(done.file).shape[0]) == (7, 2, 7)
    assert done.names.read_text().splitlines()[1:] == [f'{row},{path}' for row, path in enumerate(paths[1:-1])]
    found = lgd_mm.embed(student, paths)
    assert found.unreadable == done.unreadable and found.features.shape[0] == 7


@pytest.mark.parametrize('ending', ['npy', 'parquet'])
def test_whole_or_not_at_all(student, photos, tmp_path, ending, monkeypatch):
    (tmp_path / 'broken.png').write_text('no image')
    out = tmp_path / 'out'
    with pytest.raises(UserError, match='none of 1 images can be read'):
        write_features(student, tmp_path / 'broken.png', out / f'a.{ending}')
    batches = iter(range(2))
    project = type(student).maps

    def stopped(self, pixels):
        if next(batches, None) is None:
            raise KeyboardInterrupt
        return project(self, pixels)

    monkeypatch.setattr(type(student), 'maps', stopped)
    with pytest.raises(KeyboardInterrupt):
        write_features(student, photos, out / f'a.{ending}')
    assert list(out.iterdir()) == []


def test_mistakes(student, photos, tmp_path, monkeypatch):
    (tmp_path / 'a.csv').write_text('mine')
    for name, said in (('a.txt', 'a.txt is neither .parquet nor .npy'), ('a.npy', 'a.csv exists: give another file')):
        with pytest.raises(UserError, match=said):
            write_features(student, photos, tmp_path / name)
    bare = lgd_mm.load_student(student.path)
    bare.neck = None
    with pytest.raises(UserError, match='projection'):
        write_features(bare, photos, tmp_path / 'b.npy', embedding=True)
    monkeypatch.setitem(sys.modules, 'pyarrow', None)
    monkeypatch.setattr('lgd_mm.api.feature_paths.find_spec', lambda name: None)
    with pytest.raises(UserError, match='needs pyarrow: pip install pyarrow, or give a file that ends with .npy'):
        check_features(tmp_path / 'a.parquet')
    assert (tmp_path / 'a.csv').read_text() == 'mine'


def test_headers_of_any_length(student, photos, tmp_path, monkeypatch):
    """The number of rows is known at the end."""
    part = embedding.Embedded(['a'] * 1000, torch.ones(1000, 3), None)
    monkeypatch.setattr(feature_files, 'embedded', lambda *_: iter([part] * 12))
    done = write_features(student, photos, tmp_path / 'a.npy')
    assert np.load(done.file).shape == (12_000, 3) and np.load(done.file).all()
