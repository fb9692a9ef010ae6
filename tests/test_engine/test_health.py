"""What a student is told to be is the same in every process."""

from types import SimpleNamespace

import pytest
import torch

from lgd_mm.engine.hooks import health
from lgd_mm.engine.hooks.health import CONSTANT, HealthHook


@pytest.fixture
def hook(monkeypatch):
    """Two students with batch and logger; ``cosines[name]`` is what they give."""
    students = dict(well=torch.nn.Identity(), ill=torch.nn.Identity())
    cosines = {name: dict(features=0.6, embeddings=0.7) for name in students}
    names = {id(student): name for name, student in students.items()}
    monkeypatch.setattr(health, 'distillers_of', lambda model: students)
    monkeypatch.setattr(health, 'trained_model', lambda runner: (None, False))
    monkeypatch.setattr(health, '_mean_cosines', lambda student, batch: cosines[names[id(student)]])
    told = []
    runner = SimpleNamespace(model=torch.nn.Identity(), logger=SimpleNamespace(warning=told.append))
    hook = HealthHook()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    hook._batch = {}
    return SimpleNamespace(hook=hook, runner=runner, cosines=cosines, told=told)


@pytest.mark.parametrize('batch', [None, {}])
def test_what_another_process_finds_is_found_here(hook, monkeypatch, batch):
    """Each process asks for each student, whatever it has seen itself."""
    asked = []

    def all_reduce(flag, op):
        asked.append((int(flag), op))
        flag.fill_(max(int(flag), len(asked) == 2))

    monkeypatch.setattr(health, 'all_reduce', all_reduce)
    hook.hook._batch = batch
    hook.hook.after_train(hook.runner)
    assert asked == [(0, 'max'), (0, 'max')]
    (name, sentence), = hook.hook.broken().items()
    assert name == 'ill' and sentence.startswith('student ill: in eval mode, features or embeddings are not finite')


def test_what_is_not_finite_is_told_to_the_others(hook, monkeypatch):
    asked = []
    monkeypatch.setattr(health, 'all_reduce', lambda flag, op: asked.append(int(flag)))
    hook.cosines['well']['features'] = float('nan')
    hook.hook.after_train(hook.runner)
    assert asked == [1, 0] and list(hook.hook.broken()) == ['well']
    assert 'in a new run, that is without --resume' in hook.hook.broken()['well']


def test_features_that_vary_are_no_collapse_while_training_goes_on(hook):
    hook.cosines.update(well=dict(features=0.6, embeddings=0.9991), ill=dict(features=0.9995, embeddings=0.9992))
    hook.hook.after_train_epoch(hook.runner)
    sentence, = hook.told
    assert sentence.startswith('student ill: the student has collapsed: embeddings of different images have a mean '
                               'cosine of 0.9992') and CONSTANT == 0.999


def test_a_lone_image_is_no_collapse(hook):
    hook.cosines.update(well={}, ill={})
    hook.hook.after_train_epoch(hook.runner)
    assert not hook.told
