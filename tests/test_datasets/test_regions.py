"""A store gives back what was written, and nothing else: damage, other images and other boxes are told."""

import json
import pickle
import shutil
import zlib

import numpy as np
import pytest

from lgd_mm.datasets.regions import Regions, RegionStore, check_same_boxes, with_boxes
from lgd_mm.datasets.regions import store as store_module
from lgd_mm.datasets.regions.about import fingerprint_of
from lgd_mm.datasets.regions.regions import grid_cells
from lgd_mm.datasets.regions.row import fill_row, read_row, row_type
from lgd_mm.errors import UserError

WIDTH, MOST, NAMES = 3, 4, [f'{letter}.png' for letter in 'abcde']
ABOUT = dict(detector=dict(config='c', weights='w'), boxes=None, width=WIDTH, most=MOST, tags=['cat', 'dog'], grid=None)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(store_module, 'PART', 2)


def regions_of(number, size=(20, 10)):
    """As many regions as the number says."""
    rng = np.random.default_rng(number)
    corners = rng.uniform(0, 0.5, (number, 2)), rng.uniform(0.5, 1, (number, 2))
    boxes = np.concatenate(corners, axis=1) * [*size, *size]
    return Regions(boxes.astype(np.float32), np.sort(rng.random(number).astype(np.float16))[::-1],
                   rng.integers(0, 2, number).astype(np.int16), rng.normal(size=(number, WIDTH)).astype(np.float16),
                   size)


def written(folder, names=NAMES, counts=(4, 0, 1, 2, 3), **about):
    store = RegionStore.create(folder, {**ABOUT, **about}, names)
    for part, images in store.parts():
        store.write(part, [regions_of(counts[image]) for image in images])
    return store


def same(one, other):
    return one.size == other.size and all(np.array_equal(*pair) for pair in zip(one[:4], other[:4]))


def test_regions_come_back_as_they_were_written(tmp_path):
    written(tmp_path / 'store')
    store = RegionStore(tmp_path / 'store')
    store.check_complete()
    assert len(store) == 5 and 'c.png' in store and 'z.png' not in store
    for name, count in zip(NAMES, (4, 0, 1, 2, 3)):
        assert same(store.row(name), regions_of(count)), name
        assert store.row(name).features.dtype == np.float16
    assert store.row('b.png').boxes.shape == (0, 4) and with_boxes(store.row('b.png')).shape == (0, WIDTH + 6)
    assert same(pickle.loads(pickle.dumps(store)).row('a.png'), regions_of(4))  # a loader's worker
    assert len(pickle.dumps(store)) < 5000
    with pytest.raises(UserError, match=r"store has no image 'z.png'"):
        store.row('z.png')


def test_a_region_with_its_box():
    regions = Regions(np.array([[4, 1, 12, 6]], np.float32), np.ones(1, np.float16), np.zeros(1, np.int16),
                      np.array([[7, 8, 9]], np.float16), (20, 10))
    found = with_boxes(regions)
    np.testing.assert_allclose(found, [[7, 8, 9, 0.2, 0.1, 0.6, 0.6, 0.4, 0.5]], rtol=1e-6)
    assert found.dtype == np.float32


def test_cells_of_a_grid_cover_the_image_row_by_row():
    cells = grid_cells(2, (20, 10))
    np.testing.assert_array_equal(cells, [[0, 0, 10, 5], [10, 0, 20, 5], [0, 5, 10, 10], [10, 5, 20, 10]])


def test_a_flipped_bit_is_told_with_file_and_image(tmp_path):
    store = written(tmp_path / 'store')
    file, row = store.file(1), row_type(WIDTH, MOST)
    content = bytearray(file.read_bytes())
    content[-row.itemsize - 10] ^= 16  # of the last but one row, c.png
    file.write_bytes(content)
    fresh = RegionStore(tmp_path / 'store')
    with pytest.raises(UserError, match=r"regions/00001.npy is damaged at image 'c.png' \(its checksum is another\)"):
        fresh.row('c.png')
    assert same(fresh.row('d.png'), regions_of(2))


@pytest.mark.parametrize('damage', ['cut', 'zeros', 'gone', 'empty'])
def test_a_part_that_is_not_whole_is_missing(tmp_path, damage):
    store = written(tmp_path / 'store')
    file, content = store.file(1), store.file(1).read_bytes()
    if damage == 'gone':
        file.unlink()
    else:
        file.write_bytes(dict(cut=content[:-100], zeros=content[:-100] + bytes(100), empty=b'')[damage])
        if damage == 'zeros':  # an interrupted copy leaves whole blocks of them
            file.write_bytes(content[:-row_type(WIDTH, MOST).itemsize] + bytes(row_type(WIDTH, MOST).itemsize))
    store = RegionStore(tmp_path / 'store')
    assert store.missing() == [(1, range(2, 4))]
    with pytest.raises(UserError, match='lacks 1 of its 3 files'):
        store.check_complete()
    with pytest.raises(UserError, match=r'00001\.npy .*tools/extract_regions.py again'):
        store.row('d.png')
    store.write(1, [regions_of(1), regions_of(2)])
    RegionStore(tmp_path / 'store').check_complete()


def test_parts_of_another_store_or_in_another_place_are_told(tmp_path):
    ours, other = written(tmp_path / 'ours'), written(tmp_path / 'other', detector=dict(config='c', weights='x'))
    shutil.copy(other.file(0), ours.file(0))
    shutil.copy(ours.file(1), other.file(1))
    with pytest.raises(UserError, match=r"is damaged at image 'a.png'"):
        RegionStore(tmp_path / 'ours').row('a.png')
    swapped = written(tmp_path / 'swapped')
    shutil.copy(swapped.file(0), swapped.file(1))
    with pytest.raises(UserError, match=r"is damaged at image 'c.png'"):
        RegionStore(tmp_path / 'swapped').row('c.png')


def test_rows_that_no_extraction_wrote_are_refused(tmp_path):
    """With a checksum that fits: an operator would go over all pixels of a box."""
    store = written(tmp_path / 'store')
    for wrong, message in (
            (dict(boxes=[[0, 0, 1e9, 1]]), 'a box lies outside its image'),
            (dict(boxes=[[0, 0, np.nan, 1]]), 'a box lies outside its image'),
            (dict(boxes=[[9, 0, 1, 1]]), 'a box lies outside its image'),
            (dict(tags=[2]), 'a tag is none of the 2 names')):
        fields = dict(regions_of(1)._asdict(), **{key: np.array(value) for key, value in wrong.items()})
        store.write(0, [Regions(**fields), regions_of(0)])
        with pytest.raises(UserError, match=message):
            RegionStore(tmp_path / 'store').row('a.png')
    rows = np.zeros(2, row_type(WIDTH, MOST))
    fill_row(rows[0], regions_of(4), b'')
    rows[0]['count'] = 51
    rows[0]['crc'] = zlib.crc32(rows[0].tobytes()[:-4])
    with pytest.raises(ValueError, match='it says that there are 51 regions, and holds 4'):
        read_row(rows[0], b'', 2)


def test_a_store_goes_on_only_as_what_it_is(tmp_path):
    written(tmp_path / 'store')
    assert RegionStore.create(tmp_path / 'store', ABOUT, NAMES).missing() == []
    for about, names, what in (
            (dict(detector=dict(config='c', weights='x')), NAMES, 'another detector:'),
            (dict(boxes='f'), NAMES, 'another store of boxes:'),
            (dict(most=5), NAMES, 'another number of regions:'),
            ({}, NAMES[::-1], 'another list of images:'),
            ({}, NAMES[:4], 'another list of images:')):
        with pytest.raises(UserError, match=what):
            RegionStore.create(tmp_path / 'store', {**ABOUT, **about}, names)
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine/thesis.txt').write_text('')
    with pytest.raises(UserError, match=r'holds thesis.txt but no regions.json'):
        RegionStore.create(tmp_path / 'mine', ABOUT, NAMES)
    (tmp_path / 'linked').mkdir()
    (tmp_path / 'linked/regions').symlink_to(tmp_path / 'store/regions')
    (tmp_path / 'linked/regions.json').write_bytes((tmp_path / 'store/regions.json').read_bytes())
    with pytest.raises(UserError, match='is a link'):
        RegionStore.create(tmp_path / 'linked', ABOUT, NAMES)


def test_a_process_that_was_ended_between_the_first_files_left_a_store_that_goes_on(tmp_path):
    store = written(tmp_path / 'store')
    (store.folder / 'images.txt').unlink()
    with pytest.raises(UserError, match='images.txt cannot be read'):
        RegionStore(store.folder)
    assert RegionStore.create(store.folder, ABOUT, NAMES).names == NAMES
    (store.folder / 'images.txt').write_text('\n'.join([*NAMES[1:], 'f.png', '']))
    with pytest.raises(UserError, match='is not the list of the images of this store'):
        RegionStore(store.folder)


def test_names_are_any_that_files_have(tmp_path):
    names = ['ä b/c\r.png', b'\xff.jpg'.decode('utf-8', 'surrogateescape'), 'x\u2028y.png']
    written(tmp_path / 'store', names, (1, 2, 3))
    store = RegionStore(tmp_path / 'store')
    assert store.names == names and same(store.row(names[1]), regions_of(2))


@pytest.mark.parametrize(('change', 'reason'), [
    (dict(format=2), 'another version'), (dict(width=10**9), 'width is 1000000000'), (dict(most=0), 'most is 0'),
    (dict(width=65_000, most=4000, images=1024), 'more than a file holds'), (dict(grid=3), 'grid is 3'),
    (dict(images=True), 'images is True'), (dict(tags='cat'), 'no list of names'),
    (dict(boxes=[1]), r'boxes is \[1\]'), (dict(detector=1), 'its fingerprint is another'),
    (dict(names=None), 'is not the list')])
def test_what_a_store_says_is_checked(tmp_path, change, reason):
    store = written(tmp_path / 'store')
    about = {**store.about, **change}
    if 'names' in change:
        about['fingerprint'] = fingerprint_of(about)
    (store.folder / 'regions.json').write_text(json.dumps(about))
    with pytest.raises(UserError, match=reason):
        RegionStore(store.folder)


@pytest.mark.parametrize('content', [b'', b'[]', b'{}', b'null', b'[' * 10**5, b'\xff'])
def test_no_store_is_told(tmp_path, content):
    (tmp_path / 'regions.json').write_bytes(content)
    with pytest.raises(UserError, match=f'{tmp_path} is no store of regions; make one with python tools/extract'):
        RegionStore(tmp_path)


def test_teachers_regions_are_those_of_the_students_boxes(tmp_path):
    student = written(tmp_path / 'student')
    origin = dict(boxes=student.about['fingerprint'], detector=dict(config='t', weights='t'))
    check_same_boxes(student, written(tmp_path / 'teacher', **origin))
    check_same_boxes(student, student)
    for names, counts, about, message in (
            (NAMES, (4, 0, 1, 2, 3), dict(detector=dict(config='t', weights='t')), 'are features at other boxes'),
            (NAMES[:4], (4, 0, 1, 2), origin, "lack image 'e.png' of"),
            ([*NAMES, 'f.png'], (4, 0, 1, 2, 3, 3), origin, "have image 'f.png', which is none of"),
            (NAMES[::-1], (3, 2, 1, 0, 4), origin, 'have the images in another order than'),
            (NAMES, (4, 0, 1, 3, 3), origin, "have other boxes of image 'd.png'"),
            (NAMES, (4, 0, 1, 2, 3), dict(grid=2), 'are cells of a grid of 2 x 2')):
        shutil.rmtree(tmp_path / 'teacher')
        teacher = written(tmp_path / 'teacher', names, counts, **about)
        with pytest.raises(UserError, match=message) as told:
            check_same_boxes(student, teacher)
        assert f'--boxes {tmp_path}/student' in str(told.value)


def test_cells_of_the_same_grid_are_the_same(tmp_path):
    student, teacher = written(tmp_path / 'student', grid=2), written(tmp_path / 'teacher', grid=2)
    check_same_boxes(student, teacher)
    with pytest.raises(UserError, match='boxes of a detector, and the student.*--grid 2'):
        check_same_boxes(student, written(tmp_path / 'boxes'))
