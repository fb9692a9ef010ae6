"""Answers are those of the test of a training, whose regions were extracted before."""

import pickle

import lgd_mm
from lgd_mm.engine.launch import test as run_test
from tests.test_vision_language.conftest import NAMES, QUESTIONS


def test_answers_are_those_of_the_test_loop(world, tmp_path):
    run_test(str(world.folder / 'answers.py'), str(world.answers / 'student.safetensors'),
             str(tmp_path / 'test'), out=str(tmp_path / 'found.pkl'))
    with (tmp_path / 'found.pkl').open('rb') as file:
        wanted = {(sample['img_path'], sample['question']): sample['pred_answer'] for sample in pickle.load(file)}
    found = lgd_mm.ask(world.answers, world.images, QUESTIONS, world.run)
    assert found.paths == [str(world.images / name) for name in NAMES]
    best = {(path, question): one[0][0] for path, answers in zip(found.paths, found.best)
            for question, one in zip(found.questions, answers)}
    assert best == wanted and len(set(wanted.values())) > 1
