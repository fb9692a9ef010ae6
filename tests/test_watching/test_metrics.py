"""Figures of held-out images, against other computations of the same."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from lgd_mm.watching import NeighbourAccuracy, RankMe, ZeroShotAccuracy
from lgd_mm.watching import metrics as module
from lgd_mm.watching.metrics import leave_one_out, rank_me
from lgd_mm.watching.names import no_neighbours, no_zero_shot, numbers_of


def test_rank_of_known_matrices():
    assert rank_me(torch.eye(7)) == pytest.approx(7, rel=1e-4)
    assert rank_me(torch.ones(9, 4)) == pytest.approx(1, rel=1e-4)
    assert rank_me(torch.diag(torch.tensor([3., 1., 0.]))) == pytest.approx(4 / 3**0.75, rel=1e-4)  # of 3/4 and 1/4


@pytest.mark.parametrize('shape', [(50, 8), (6, 40)])
def test_rank_as_numpy_and_scipy_have_it(shape):
    embeddings = np.random.default_rng(0).normal(size=shape) @ np.diag(0.9 ** np.arange(shape[1])) + 0.3
    values = np.linalg.svd(embeddings, compute_uv=False)
    expected = math.exp(entropy(values / values.sum()))
    assert rank_me(torch.tensor(embeddings)) == pytest.approx(expected, rel=1e-4)
    assert 1 < expected < min(shape)
    assert rank_me(torch.tensor(-3 * embeddings)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize('value', [math.nan, math.inf, 0.0])
def test_no_rank(value):
    assert math.isnan(rank_me(torch.full((3, 4), value)))


@pytest.mark.parametrize('chunk', [1024, 7])
@pytest.mark.parametrize('k', [1, 5, 100])
def test_neighbours_one_by_one(k, chunk, monkeypatch):
    monkeypatch.setattr(module, 'CHUNK', chunk)
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 30)
    features = rng.normal(size=(30, 6)) + 0.8 * np.eye(6)[labels]
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    expected = []
    for index in range(30):
        others = [other for other in range(30) if other != index]
        nearest = sorted(others, key=lambda other: -unit[index] @ unit[other])[:k]
        votes = np.zeros(3)
        for other in nearest:
            votes[labels[other]] += math.exp(unit[index] @ unit[other] / 0.07)
        expected.append(votes.argmax() == labels[index])
    found = leave_one_out(torch.tensor(features), torch.tensor(labels), k, 0.07)
    assert found.tolist() == expected and 0 < sum(expected) < 30


def test_no_image_finds_itself():
    """Each has the other class as its only neighbour."""
    assert not leave_one_out(torch.eye(2), torch.tensor([0, 1]), 20, 0.07).any()


def test_as_evaluators():
    samples = [dict(feature=torch.eye(2)[label], embedding=torch.eye(3)[label], label=label, taken_for=label * 5,
                    name=5) for label in (0, 0, 1, 1)]
    found = {}
    for metric in (RankMe(), NeighbourAccuracy(k=1), ZeroShotAccuracy()):
        metric.process(None, samples[:3])
        metric.process(None, samples[3:])
        found |= metric.evaluate(4)
    assert found == {'embedding/rankme': pytest.approx(2, rel=1e-4), 'knn/top1': 100, 'zero-shot/top1': 50}


@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_a_student_that_has_diverged(value):
    """The best of NaN is a class, too, which is right for some images."""
    samples = [dict(feature=torch.full((2, ), value), embedding=torch.full((3, ), value), label=label, taken_for=0,
                    name=label) for label in (0, 0, 1)]
    for metric in (RankMe(), NeighbourAccuracy(), ZeroShotAccuracy()):
        metric.process(None, samples)
        figure, = metric.evaluate(3).values()
        assert math.isnan(figure)


def test_names_of_folders():
    names = ['guinea pig', 'Cat', 'dog', 'cat']
    assert numbers_of(['cat', 'guinea_pig', 'cow'], names) == [1, 0, None]
    assert no_zero_shot(['dog', 'Guinea_Pig'], names) is None
    assert no_zero_shot(['dog', 'cow'], names) == 'no category of the run is called cow, as class folders are'
    assert no_zero_shot([], names) == no_neighbours([]) == 'there are no class folders'
    assert no_zero_shot(['dog'], []) == 'the method learns no names'
    assert no_neighbours(['dog']) == 'there is one class alone, dog' and no_neighbours(['dog', 'cat']) is None
