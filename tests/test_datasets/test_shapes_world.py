"""The world on disk: formats its readers know, written once, completed after an interruption."""

import json
import os
import subprocess
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from faster_coco_eval import COCO

from lgd_mm.datasets.shapes import COLOURS, SHAPES, make_scene, world, write_world
from lgd_mm.errors import UserError

SIZES = {'unlabelled': 12, 'zero_shot': 16, 'labelled': 8, 'detection': (5, 3), 'segmentation': (4, 2)}


@pytest.fixture(scope='module')
def root(tmp_path_factory) -> Path:
    return write_world(tmp_path_factory.mktemp('world') / 'shapes', **SIZES)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*') if path.is_file()}


def test_folders_hold_what_was_asked_for(root):
    assert len(list((root / 'pretrain').glob('*.jpg'))) == 12
    assert sorted(path.name for path in (root / 'zero_shot').iterdir()) == list(SHAPES)
    assert all(len(list(folder.glob('*.png'))) == 2 for folder in (root / 'zero_shot').iterdir())
    assert len(list((root / 'coco/train2017').glob('*.jpg'))) == 5
    assert len(list((root / 'ade/images/validation').glob('*.jpg'))) == 2
    assert not list(root.rglob('*.tmp'))


def test_images_are_the_scenes(root):
    pixels = cv2.imread(str(root / 'zero_shot/crescent/000001.png'))[:, :, ::-1]
    np.testing.assert_array_equal(pixels, make_scene('zero_shot', 1).image)


def test_captions_name_the_objects(root):
    captions = json.loads((root / 'pretrain/captions.json').read_text())
    assert [image['file_name'] for image in captions['images']] == [f'{index:06d}.jpg' for index in range(12)]
    third = [note['caption'] for note in captions['annotations'] if note['image_id'] == 3]
    assert third == [item.phrase for item in make_scene('pretrain', 2).objects]


def test_coco_readers_decode_boxes_and_masks(root):
    coco = COCO(str(root / 'coco/annotations/instances_train2017.json'))
    assert [category['name'] for category in coco.loadCats(coco.getCatIds())] == list(SHAPES)
    for number, image_id in enumerate(coco.getImgIds()):
        image = coco.loadImgs(image_id)[0]
        assert (root / 'coco/train2017' / image['file_name']).is_file()
        notes = coco.loadAnns(coco.getAnnIds(imgIds=[image_id]))
        objects = make_scene('train2017', number).objects
        assert len(notes) == len(objects)
        for note, item in zip(notes, objects):
            np.testing.assert_array_equal(coco.annToMask(note).astype(bool), item.mask)
            assert note['area'] == item.mask.sum() and tuple(note['bbox']) == item.box and note['iscrowd'] == 0
            assert SHAPES[note['category_id'] - 1] == item.shape


def test_ade_labels_lie_beside_their_images(root):
    kinds = dict(annotations=SHAPES, colours=COLOURS)
    for split, (folder, names) in product(('training', 'validation'), kinds.items()):
        images = sorted(path.stem for path in (root / 'ade/images' / split).glob('*.jpg'))
        labels = sorted((root / 'ade' / folder / split).glob('*.png'))
        assert images == [path.stem for path in labels]
        for path in labels:
            values = np.unique(cv2.imread(str(path), cv2.IMREAD_UNCHANGED))
            assert values[0] == 1 and values[-1] <= 1 + len(names) and len(values) > 1


def test_lists_name_both_labels(root):
    for split, count in dict(zero_shot=16, labelled=8, probe=8).items():
        shapes, colours = ([line.split() for line in (root / f'meta/{split}_{kind}.txt').read_text().splitlines()]
                           for kind in ('shapes', 'colours'))
        assert len(shapes) == count and [name for name, _ in shapes] == [name for name, _ in colours]
        for index, ((name, shape), (_, colour)) in enumerate(zip(shapes, colours)):
            item = make_scene('zero_shot' if split == 'zero_shot' else 'labelled', index).objects[0]
            assert (root / ('zero_shot' if split == 'zero_shot' else 'labelled') / name).is_file()
            assert (SHAPES[int(shape)], COLOURS[int(colour)]) == (item.shape, item.colour)


def test_second_call_writes_nothing(root, monkeypatch):
    monkeypatch.setattr(world, '_put', lambda *_: pytest.fail('wrote again'))
    write_world(root, **SIZES)


def ended():
    """The number of a process that has ended."""
    process = subprocess.Popen(['true'])
    process.wait()
    return process.pid


@pytest.mark.parametrize('writes', [1, 7, 20, 33])
def test_interrupted_world_is_completed(root, tmp_path, monkeypatch, writes):
    put, left = world._put, iter(range(writes))

    def put_until_killed(path, content):
        if next(left, None) is None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f'{path.name}.{os.uname().nodename}.{ended()}.tmp').write_bytes(content[:10])
            raise KeyboardInterrupt
        put(path, content)

    monkeypatch.setattr(world, '_put', put_until_killed)
    with pytest.raises(KeyboardInterrupt):
        write_world(tmp_path / 'shapes', **SIZES)
    monkeypatch.setattr(world, '_put', put)
    write_world(tmp_path / 'shapes', **SIZES)
    assert contents(tmp_path / 'shapes') == contents(root)


def test_unfinished_files_of_others_are_left_to_them(root, tmp_path):
    """Of a process that lives, of another machine, and of the user; those of one that has ended are not."""
    write_world(tmp_path / 'shapes', **SIZES)
    names = {f'a.jpg.{os.uname().nodename}.{os.getppid()}.tmp': True, 'a.jpg.elsewhere.1.tmp': True,
             f'a.jpg.{os.uname().nodename}.{ended()}.tmp': False, 'a.jpg.tmp': True, 'notes.tmp': True,
             f'notes.7.{ended()}.tmp': True, f'a.jpg.{os.uname().nodename}.{"9" * 400}.tmp'[:250]: True}
    folder = tmp_path / 'shapes' / f'a.jpg.{os.uname().nodename}.{ended()}.tmp'
    folder.mkdir()
    for name in names:
        (tmp_path / 'shapes' / 'pretrain' / name).touch()
    write_world(tmp_path / 'shapes', **SIZES)
    assert {name: (tmp_path / 'shapes' / 'pretrain' / name).exists() for name in names} == names
    assert folder.is_dir()


def test_lost_files_come_back_the_same(root, tmp_path):
    copy = write_world(tmp_path / 'shapes', **SIZES)
    for lost in ('pretrain/000003.jpg', 'coco/annotations/instances_val2017.json', 'ade/annotations/training/'
                 'ADE_train_00000002.png'):
        os.remove(copy / lost)
    write_world(copy, **SIZES)
    assert contents(copy) == contents(root)


def test_other_arguments_are_refused(root):
    with pytest.raises(UserError, match='unlabelled 12 instead of 13.*name another folder'):
        write_world(root, **{**SIZES, 'unlabelled': 13})
    with pytest.raises(UserError, match='seed 0 instead of 4'):
        write_world(root, seed=4, **SIZES)


def test_a_folder_of_something_else_is_refused(tmp_path):
    (tmp_path / 'thesis.tex').write_text('years of work')
    with pytest.raises(UserError, match='no world.json'):
        write_world(tmp_path, **SIZES)
    assert [path.name for path in tmp_path.iterdir()] == ['thesis.tex']


@pytest.mark.parametrize('text', ['{"seed"', '[1]', 'null'])
def test_a_damaged_card_is_reported(tmp_path, text):
    (tmp_path / 'world.json').write_text(text)
    with pytest.raises(UserError, match='no valid JSON'):
        write_world(tmp_path, **SIZES)


def test_a_full_disk_is_reported(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(world.os, 'replace', full)
    with pytest.raises(UserError, match='No space left on device'):
        write_world(tmp_path / 'shapes', **SIZES)
