"""The harder world: what has a name, what occurs, how large it is; and the first world, which it leaves as it was."""

import hashlib
import json
from collections import Counter
from dataclasses import fields

import cv2
import numpy as np
import pytest

from lgd_mm.datasets.shapes import COLOURS, WORLDS, Thing, make_scene, write_world
from lgd_mm.datasets.shapes.layouts import ade_labels, coco_instances
from lgd_mm.datasets.shapes.scene import draw_view
from lgd_mm.datasets.shapes.surfaces import NAMED_GROUNDS
from lgd_mm.datasets.shapes.world import SPLITS
from lgd_mm.errors import UserError
from lgd_mm.suite.task_registry import registered_task

WORLD = WORLDS['harder']
SIZES = {'unlabelled': 8, 'zero_shot': 40, 'labelled': 40, 'detection': (3, 2), 'segmentation': (3, 2)}
#: Of eight images of each split: pixels, phrases and masks.
FIRST = {
    'pretrain': '44087f71244a7375', 'zero_shot': 'fbee50cd1c2e5343', 'train2017': '40e93c4fcb4e935e',
    'val2017': '29ba01cbd0bd4b96', 'training': '62e99a3e9d07a12c', 'validation': 'f0e27db69b7ac2b0',
    'teacher': 'c7cace1610d005f6', 'teacher_test': 'd6a571940f0780ef', 'labelled': '7ab27396e563e6d2'
}


@pytest.fixture(scope='module')
def scenes():
    """Of the kinds of images that a student may see."""
    return {split: [make_scene(split, index, kind='harder') for index in range(40)]
            for split in ('pretrain', 'zero_shot', 'labelled', 'train2017', 'validation')}


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp('harder') / 'data', **SIZES, kind='harder')


@pytest.mark.parametrize(('task', 'images'), [('mask-rcnn', WORLD.detection), ('upernet', WORLD.segmentation)])
def test_there_are_as_many_images_as_the_tasks_say(task, images):
    trained, tested = images
    card = registered_task(f'harder/{task}', 'a test').card
    assert f'{trained:,} labelled scenes' in ' '.join(card.card.split()) and card.test_images == tested


def test_the_first_world_is_as_it_was():
    found = {}
    for split in SPLITS:
        digest = hashlib.sha256()
        for index in range(8):
            scene = make_scene(split, index)
            digest.update(scene.image.tobytes())
            for item in scene.objects:
                digest.update(item.phrase.encode() + item.mask.tobytes())
            assert not scene.distractors and not scene.ground
        found[split] = digest.hexdigest()[:16]
    assert found == FIRST


def test_the_first_world_has_the_card_it_had(tmp_path):
    sizes = dict(unlabelled=1, zero_shot=1, labelled=1, detection=(1, 1), segmentation=(1, 1))
    write_world(tmp_path / 'first', **sizes)
    assert (tmp_path / 'first/world.json').read_text() == (
        '{"version": 3, "seed": 0, "unlabelled": 1, "zero_shot": 1, "labelled": 1, "detection": [1, 1], '
        '"segmentation": [1, 1]}')
    with pytest.raises(UserError, match='kind shapes instead of harder'):
        write_world(tmp_path / 'first', **sizes, kind='harder')
    with pytest.raises(UserError, match="no generated world is called 'hard'; there are: shapes, harder"):
        write_world(tmp_path / 'second', kind='hard')
    assert not (tmp_path / 'second').exists()


def test_names_are_many_and_not_those_of_the_tests_alone():
    assert len(WORLD.classes) == 40 and WORLD.classes == sorted(WORLD.classes)
    assert len(WORLD.names) == len(set(WORLD.names)) == 40 + 20 + len(NAMED_GROUNDS)
    assert WORLD.names[:40] == WORLD.classes
    assert {'striped circle', 'dotted star with a hole', 'plain triangle with a rim'} <= set(WORLD.classes)
    assert not [name for name in WORLD.names for colour in COLOURS if colour in name.split()]
    distracting = {thing.name for thing in WORLD.distractors}
    assert len(distracting) == 20 and not distracting & set(WORLD.names)


@pytest.mark.parametrize('attribute', [field.name for field in fields(Thing)])
def test_each_category_needs_each_attribute(attribute):
    """Another category has the same but for this one."""
    rest = Counter(tuple(value for key, value in vars(thing).items() if key != attribute)
                   for thing in WORLD.categories)
    assert min(rest.values()) >= 2


def test_the_same_seed_gives_the_same_image():
    for split in SPLITS:
        one, other = (make_scene(split, 3, kind='harder') for _ in range(2))
        np.testing.assert_array_equal(one.image, other.image)
        assert [item.phrase for item in one.objects] == [item.phrase for item in other.objects]
        assert (make_scene(split, 3, seed=1, kind='harder').image != one.image).mean() > 0.3


def test_what_occurs(scenes):
    """Categories have the labels; distractors occur and have none; what is absent does not occur."""
    seen = Counter(item.name for split in scenes.values() for scene in split for item in scene.objects)
    besides = Counter(item.name for split in scenes.values() for scene in split for item in scene.distractors)
    assert set(seen) == set(WORLD.classes)
    assert set(besides) == {thing.name for thing in WORLD.distractors}
    assert not {thing.name for thing in WORLD.absent} & {*seen, *besides}
    crowded = [scene for split in ('pretrain', 'train2017', 'validation') for scene in scenes[split]]
    assert all(scene.objects for scene in crowded)
    share = sum(len(scene.distractors) for scene in crowded) / sum(
        len(scene.distractors) + len(scene.objects) for scene in crowded)
    assert 0.2 < share < 0.35
    assert {scene.ground for scene in crowded} == {*NAMED_GROUNDS, ''}
    for split in ('zero_shot', 'labelled'):
        assert [scene.objects[0].name for scene in scenes[split]] == WORLD.classes
        assert all(len(scene.objects) == 1 and not scene.distractors for scene in scenes[split])


def test_the_teacher_has_seen_all(scenes):
    seen = {item.thing for index in range(300) for item in make_scene('teacher', index, kind='harder').objects}
    assert seen == {*WORLD.categories, *WORLD.absent, *WORLD.distractors}


def test_sizes_of_images_and_objects(scenes):
    """Smaller and larger ones in the tests than the teacher learnt from."""
    assert {split: scenes[split][0].image.shape[0] for split in scenes} == dict(
        pretrain=64, zero_shot=64, labelled=64, train2017=160, validation=160)
    for split, most in dict(zero_shot=44, pretrain=44, validation=64).items():
        longest = [max(item.box[2:]) for scene in scenes[split] for item in scene.objects]
        assert max(longest) <= most + 2, split
    longest = [max(item.box[2:]) for scene in scenes['validation'] for item in scene.objects]
    assert np.mean(np.array(longest) < 20) > 0.1 and np.mean(np.array(longest) > 46) > 0.1
    teacher = [max(item.box[2:]) for index in range(60) for item in make_scene('teacher', index, kind='harder').objects]
    assert max(teacher) <= 46


def test_masks_do_not_overlap_and_show_the_colour(scenes):
    channels = dict(blue=2, green=1, red=0)  # the strongest
    right = total = 0
    for scene in scenes['validation']:
        items = scene.objects + scene.distractors
        assert sum(item.mask.astype(int) for item in items).max() == 1
        for item in items:
            assert item.mask.sum() >= 8
            if item.colour in channels and item.thing.part != 'rim':
                total += 1
                right += scene.image[item.mask].mean(axis=0).argmax() == channels[item.colour]
    assert total > 30 and right / total > 0.85


def drawn(thing: Thing, seed: int):
    """Image and mask of a thing."""
    scene = draw_view(np.random.default_rng(seed), WORLD.single, WORLD, (thing, ))
    return scene.image.astype(int), scene.objects[0].mask


def test_each_attribute_is_in_the_pixels():
    """A hole is not in the mask, a rim is white, and textures are dark in part."""
    middles, edges, depths = [], [], {}
    for seed in range(12):
        for part in ('', 'hole', 'rim'):
            image, mask = drawn(Thing('circle', 'plain', part), seed)
            contours = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
            solid = cv2.drawContours(np.zeros(mask.shape, np.uint8), contours, -1, 1, -1)
            middles.append((part, solid.sum() / mask.sum()))
            inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=2).astype(bool)
            edge = mask & ~cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
            edges.append((part, image[edge].min(axis=1).mean() - image[inner].min(axis=1).mean()))
        for texture in ('plain', 'striped', 'dotted', 'chequered'):
            image, mask = drawn(Thing('square', texture), seed)
            inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
            depths.setdefault(texture, []).append(image[inner].max(axis=1).std())
    mean = {part: np.mean([value for name, value in middles if name == part]) for part in ('', 'hole', 'rim')}
    assert mean['hole'] > 1.06 > mean[''] and mean['rim'] < 1.06
    mean = {part: np.mean([value for name, value in edges if name == part]) for part in ('', 'hole', 'rim')}
    assert mean['rim'] > 60 > mean[''] and mean['hole'] < 60
    plain = np.mean(depths.pop('plain'))
    assert all(np.mean(depth) > 2 * plain for depth in depths.values()), (plain, depths)


def test_labels_agree_with_masks_and_leave_distractors_out(scenes):
    named = coco_instances([('a.jpg', scene) for scene in scenes['train2017'][:5]], WORLD.classes)
    assert [category['name'] for category in named['categories']] == WORLD.classes
    items = [item for scene in scenes['train2017'][:5] for item in scene.objects]
    assert len(named['annotations']) == len(items)
    for note, item in zip(named['annotations'], items):
        assert WORLD.classes[note['category_id'] - 1] == item.name
        assert (tuple(note['bbox']), note['area']) == (item.box, item.mask.sum())
    for scene in scenes['validation'][:10]:
        by_name, by_colour = ade_labels(scene, WORLD.classes), ade_labels(scene, COLOURS)
        for item in scene.objects:
            assert set(by_name[item.mask]) == {WORLD.classes.index(item.name) + 2}
            assert set(by_colour[item.mask]) == {COLOURS.index(item.colour) + 2}
        for item in scene.distractors:  # background by name; of no colour, for they have one
            assert set(by_name[item.mask]) == {1} and set(by_colour[item.mask]) == {0}


def test_folders_on_disk(root):
    assert json.loads((root / 'world.json').read_text())['kind'] == 'harder'
    folders = sorted(path.name for path in (root / 'zero_shot').iterdir())
    assert [folder.replace('_', ' ') for folder in folders] == WORLD.classes
    for split in ('zero_shot', 'labelled'):
        lines = (root / f'meta/{split}_shapes.txt').read_text().splitlines()
        assert len(lines) == 40
        for line in lines:
            name, label = line.split()
            assert (root / split / name).is_file() and folders[int(label)] == name.split('/')[0]
        colours = (root / f'meta/{split}_colours.txt').read_text().splitlines()
        assert {int(line.split()[1]) for line in colours} == set(range(len(COLOURS)))
    captions = json.loads((root / 'pretrain/captions.json').read_text())['annotations']
    said = {caption['caption'].partition(' ')[2] or caption['caption'] for caption in captions}
    assert said <= {*WORLD.classes, *NAMED_GROUNDS}
