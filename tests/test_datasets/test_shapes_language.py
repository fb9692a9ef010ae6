"""Sentences and answers are true, told from the objects by other means."""

import json
import re
from collections import Counter

import numpy as np
import pytest

from lgd_mm.datasets.shapes import COLOURS, WORLDS, make_scene, write_language, write_world
from lgd_mm.datasets.shapes.questions import questions
from lgd_mm.datasets.shapes.sentences import NUMBERS, plural, sentences
from lgd_mm.errors import UserError

WORLD = WORLDS['shapes']
PLACES = {'left of': (0, -1), 'right of': (0, 1), 'above': (1, -1), 'below': (1, 1)}


@pytest.fixture(scope='module')
def scenes():
    return [make_scene('train2017', index, 3) for index in range(40)]


def middle(scene, phrase):
    """Of the box of the only such object: x, y."""
    item, = (item for item in scene.objects if item.phrase == phrase)
    rows, columns = np.nonzero(item.mask)
    return (columns.min() + columns.max()) / 2, (rows.min() + rows.max()) / 2


def is_true(sentence, scene):
    """By a reader of its own."""
    relation = re.fullmatch(r'an? (\w+ \w+) (left of|right of|above|below) an? (\w+ \w+)', sentence)
    if relation:
        first, where, second = relation.groups()
        axis, sign = PLACES[where]
        return sign * (middle(scene, first)[axis] - middle(scene, second)[axis]) > 0
    counted = re.fullmatch(r'(\w+) shapes?: (.*)', sentence)
    if counted and NUMBERS.index(counted[1]) != len(scene.objects):
        return False
    listed = re.split(', | and ', re.sub('^there (is|are) ', '', counted[2] if counted else sentence))
    there = Counter(item.phrase for item in scene.objects)
    expected = {phrase if count == 1 else f'{NUMBERS[count]} {plural(phrase)}' for phrase, count in there.items()}
    return {re.sub('^an? ', '', part) for part in listed} == expected


def test_sentences_are_true(scenes):
    written = [sentence for index, scene in enumerate(scenes)
               for sentence in sentences(scene, np.random.default_rng(index))]
    assert all(is_true(sentence, scenes[index // 5]) for index, sentence in enumerate(written))
    assert sum(bool(re.search('left of|right of|above|below', sentence)) for sentence in written) > 20
    assert not is_true('a red star', scenes[1]) and sentences(scenes[0], np.random.default_rng(0)) == written[:5]
    assert not any('a orange' in sentence for sentence in written)


def test_answers_are_true(scenes):
    kinds = Counter()
    for index, scene in enumerate(scenes):
        objects = [(item.colour, item.name) for item in scene.objects]
        for question in questions(scene, WORLD.classes, np.random.default_rng(index)):
            kinds[question.kind] += 1
            words = question.text.split()
            if question.kind == 'colour':
                assert [colour for colour, name in objects if name == words[-1]] == [question.answer]
            elif question.kind == 'shape':
                assert [name for colour, name in objects if colour == words[-1]] == [question.answer]
            elif question.kind == 'presence':
                assert ((words[-2], words[-1]) in objects) == (question.answer == 'yes')
            elif question.kind == 'count':
                named = [name for name in WORLD.classes if words[2] == plural(name)]
                found = [pair for pair in objects if words[2] in (pair[0], 'shapes') or pair[1] in named]
                assert len(found) == int(question.answer)
            else:
                first, where, second = re.fullmatch('is the (.*) (left of|right of|above|below) the (.*)',
                                                    question.text).groups()
                axis, sign = PLACES[where]
                there = sign * (middle(scene, first)[axis] - middle(scene, second)[axis]) > 0
                assert there == (question.answer == 'yes')
    assert len(kinds) == 5 and min(kinds.values()) > 10


def test_words_do_not_tell_the_answer():
    asked = [question for index in range(300) for question in questions(
        make_scene('val2017', index % 60), WORLD.classes, np.random.default_rng([7, index]))]
    for kind in ('presence', 'place'):
        answers = Counter(question.answer for question in asked if question.kind == kind)
        assert answers['yes'] / answers.total() == pytest.approx(0.5, abs=0.12)


def test_files(tmp_path):
    root = write_world(tmp_path / 'world', unlabelled=1, zero_shot=8, labelled=8, detection=(6, 3), segmentation=(1, 1))
    folder = write_language(root)
    captions = json.loads((folder / 'captions_val.json').read_text())
    assert [entry['image'] for entry in captions] == [f'{number:012d}.jpg' for number in (1, 2, 3)]
    assert all((root / 'coco/val2017' / entry['image']).exists() and len(entry['caption']) == 5 for entry in captions)
    asked = json.loads((folder / 'questions_train.json').read_text())['questions']
    answered = json.loads((folder / 'answers_train.json').read_text())['annotations']
    listed = (folder / 'answers.txt').read_text().splitlines()
    assert listed[:7] == ['yes', 'no', '0', '1', '2', '3', '4'] and {*COLOURS, *WORLD.classes} <= {*listed}
    for question, annotation in zip(asked, answered, strict=True):
        assert question['question_id'] == annotation['question_id'] and len(annotation['answers']) == 10
        assert {answer['answer'] for answer in annotation['answers']} <= {*listed}
    once = Counter((question['image_id'], question['question']) for question in asked)
    assert set(once.values()) == {1} and len(asked) > 5 * 6  # images are asked about more than once, but not the same
    tested = json.loads((folder / 'questions_val.json').read_text())['questions']
    assert max(Counter(question['image_id'] for question in tested).values()) <= 5
    objects = json.loads((folder / 'instances_val.json').read_text())
    plain = json.loads((root / 'coco/annotations/instances_val2017.json').read_text())
    names = {one['id']: one['name'] for one in objects['categories']}
    assert len(names) == len(COLOURS) * len(WORLD.classes)
    for annotation, other in zip(objects['annotations'], plain['annotations'], strict=True):
        assert annotation['bbox'] == other['bbox']
        assert names[annotation['category_id']].split()[1] == WORLD.classes[other['category_id'] - 1]
    first = {names[annotation['category_id']] for annotation in objects['annotations'] if annotation['image_id'] == 1}
    assert first == {item.phrase for item in make_scene('val2017', 0).objects}
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_language(root)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    with pytest.raises(UserError, match='name the folder of a shapes world'):
        write_language(tmp_path)


def test_a_world_with_things_that_have_no_name_is_refused(tmp_path):
    """One question of five for a colour's shape would be of two things."""
    root = write_world(tmp_path / 'harder', unlabelled=1, zero_shot=20, labelled=20, detection=(1, 1),
                       segmentation=(1, 1), kind='harder')
    with pytest.raises(UserError, match='is a harder world'):
        write_language(root)
    assert not (root / 'language').exists()
