"""The mean over images of what torchmetrics says of each."""

import math

import pytest
import torch
import torch.nn.functional as F
from torchmetrics.functional.retrieval import retrieval_average_precision

from lgd_mm.errors import UserError
from lgd_mm.metrics import RetrievalMAP, retrieval
from lgd_mm.metrics.retrieval import retrieval_map


def features_and_labels(count=60, classes=5):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(classes, (count, ), generator=generator)
    centres = torch.randn(classes, 8, generator=generator)
    return centres[labels] + torch.randn(count, 8, generator=generator), labels


@pytest.mark.parametrize('block', [2**24, 200], ids=['whole', 'pieces'])
def test_torchmetrics(monkeypatch, block):
    monkeypatch.setattr(retrieval, 'BLOCK', block)
    features, labels = features_and_labels()
    labels[-1] = 9  # alone in its class: it asks nothing, and is in the way of others
    unit, expected = F.normalize(features, dim=1), []
    for index in range(len(labels) - 1):
        others = torch.arange(len(labels)) != index
        scores = 1 + unit @ unit[index]  # torchmetrics takes what is below zero for irrelevant
        expected.append(retrieval_average_precision(scores[others], labels[others] == labels[index]))
    assert retrieval_map(features, labels) == pytest.approx(float(torch.stack(expected).mean()), abs=1e-6)


def test_by_hand():
    """Of one class 0, 10 and 40 degrees, of the other 20 and 100: ranks 1 and 3, 1 and 3, 2 and 3; 4, 3."""
    degrees, labels = torch.tensor([0., 10, 40, 20, 100]), torch.tensor([0, 0, 0, 1, 1])
    radians = degrees * math.pi / 180
    features = torch.stack([radians.cos(), radians.sin()], dim=1) * torch.tensor([1, 7, 0.1, 3, 2])[:, None]
    expected = ((1 + 2 / 3) / 2 + (1 + 2 / 3) / 2 + (1 / 2 + 2 / 3) / 2 + 1 / 4 + 1 / 2) / 5
    assert retrieval_map(features, labels) == pytest.approx(expected)


def test_chance_and_certainty():
    labels = torch.arange(4).repeat(250)
    assert retrieval_map(F.one_hot(labels), labels) == pytest.approx(1)
    random = torch.randn(1000, 32, generator=torch.Generator().manual_seed(0))
    assert retrieval_map(random, labels) == pytest.approx(0.25, abs=0.01)


def test_the_metric():
    features, labels = features_and_labels()
    metric = RetrievalMAP()
    for feature, label in zip([*features, *features[:5]], [*labels, *torch.full((5, ), -1)]):  # with five outliers
        metric.process(None, [dict(feature=feature, gt_label=label[None])])
    assert metric.evaluate(65) == {'retrieval/mAP': pytest.approx(100 * retrieval_map(features.half(), labels))}


def test_odd_data():
    features, labels = features_and_labels()
    assert math.isnan(retrieval_map(features.index_fill(0, torch.tensor(3), float('nan')), labels))
    assert retrieval_map(features, torch.zeros(60)) == pytest.approx(1)  # one class
    assert retrieval_map(torch.zeros(4, 2), torch.tensor([0, 0, 1, 1])) > 0  # all alike: by their order
    with pytest.raises(UserError, match='no class of the test images has two of them'):
        retrieval_map(features, torch.arange(60))
    metric = RetrievalMAP()
    metric.process(None, [dict(feature=features[0], gt_label=torch.tensor([-1]))] * 2)
    with pytest.raises(UserError, match='all 2 images of val_dataloader are outliers, which are not sought'):
        metric.evaluate(2)
    with pytest.raises(UserError, match='needs features and one label of each image'):
        RetrievalMAP().process(None, [dict(pred_score=0, gt_label=0)])
