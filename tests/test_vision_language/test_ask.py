"""Answers are those of the test of a training, whose regions were extracted before."""

import csv
import json
import pickle
import re

import pytest
import torch
from mmengine.registry import init_default_scope

import lgd_mm
from lgd_mm.engine.launch import test as run_test
from lgd_mm.errors import UserError
from lgd_mm.registry import DATASETS
from lgd_mm.vision_language.student import load_student
from tests.configs import read_config
from tests.test_cli.test_commands import told, typed
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


@torch.no_grad()
def test_probabilities_are_those_of_each_answer_alone(world):
    """The sigmoid of its logit, as the model gives it for an item of the data set."""
    found = lgd_mm.ask(world.answers, world.images / NAMES[3], QUESTIONS[1], world.run, top=9)
    (best, ), = found.best
    student = load_student(world.answers / 'student.safetensors')
    init_default_scope('mmpretrain')
    item = DATASETS.build(read_config(world.folder / 'answers.py').test_dataloader.dataset)[3 * 3 + 1]['inputs']
    hidden = student.model.encode({key: value[None] for key, value in item.items()}).hidden
    logits = student.model.task.answers(hidden)[0]
    names = student.model.task.names.lines
    assert sorted(name for name, _ in best) == sorted(names)
    assert [value for _, value in best] == sorted((value for _, value in best), reverse=True)
    for name, value in best:
        assert value == pytest.approx(float(1 / (1 + (-logits[names.index(name)]).exp())), abs=1e-6)


def test_questions_that_cannot_be_asked(world, monkeypatch, capsys):
    words = 'ask', world.answers, world.images / NAMES[0]
    detector = '--detector', world.run
    assert 'the question is empty: ask something' in told(monkeypatch, capsys, *words, ' ', *detector)
    assert 'question 2 is empty' in told(monkeypatch, capsys, *words, 'is it', '', *detector)
    last = told(monkeypatch, capsys, *words, 'is it', 'Who sleeps?', *detector)
    assert "knows no word of the question 'Who sleeps?' (who, sleeps): ask in the words" in last
    assert "knows no word of the question '?': ask" in told(monkeypatch, capsys, *words, '?', *detector)
    last = told(monkeypatch, capsys, *words, 'wibble frobnicate ' * 5, *detector)
    assert "knows no word of the question 'wibble" in last
    last = told(monkeypatch, capsys, *words, 'is it the nut left of the nut left of it', *detector)
    assert 'has 11 word pieces, and ' in last and 'reads 8: shorten it' in last
    with pytest.raises(UserError, match='the question is empty'):
        lgd_mm.ask(world.answers, world.images, [], world.run)
    with pytest.raises(UserError, match='top is 0'):
        lgd_mm.ask(world.answers, world.images, 'is it', world.run, top=0)


def test_typed(world, tmp_path):
    """A table, a file, and a word that is not known."""
    found = lgd_mm.ask(world.answers, world.images, QUESTIONS[:2], world.run, top=2)
    said = typed('ask', world.answers, world.images / NAMES[0], 'What is her nut', '--detector', world.run)
    assert "not known to the student in 'What is her nut': her\n" in said
    lines = said.splitlines()[-4:]
    assert lines[0].split() == ['image', 'question', 'rank', 'answer', 'probability']
    assert re.fullmatch(rf'{world.images}/{NAMES[0]}  What is her nut  3  +\S+ +\d+\.\d%', lines[-1])  # never cut
    words = 'ask', world.answers, world.images, *QUESTIONS[:2], '--detector', world.run, '--top', 2, '--out'
    assert typed(*words, tmp_path / 'a.csv').endswith(f'{tmp_path}/a.csv: 2 questions about 5 images\n')
    with (tmp_path / 'a.csv').open(newline='') as file:
        header, *rows = csv.reader(file)
    assert header == ['image', 'question', 'rank', 'answer', 'probability'] and len(rows) == 20
    (first, chance), _ = found.best[0][0]
    assert rows[0] == [str(world.images / NAMES[0]), QUESTIONS[0], '1', first.replace('=2', "'=2"), f'{chance:.4f}']
    typed(*words, tmp_path / 'a.json')
    assert json.loads((tmp_path / 'a.json').read_text()) == [dict(zip(header, row)) for row in found.rows()]
