"""The area under the curve counts pairs."""

import math

import pytest
import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample

from lgd_mm.errors import UserError
from lgd_mm.evaluation.features import Features
from lgd_mm.evaluation.predict import familiarity
from lgd_mm.metrics import OutlierAUROC
from lgd_mm.metrics.outliers import outlier_auroc
from lgd_mm.registry import MODELS


def by_pairs(known, outliers):
    """Mann and Whitney: how often an image is nearer than an outlier, of all pairs; ties count half."""
    return float(((known[:, None] > outliers).double() + (known[:, None] == outliers) / 2).mean())


@pytest.mark.parametrize('shift', [0.0, 0.3, 2.0])
def test_pairs(shift):
    generator = torch.Generator().manual_seed(0)
    known, outliers = (0.9 + 0.05 * torch.randn(200, generator=generator)).clamp(-1, 1), torch.rand(
        80, generator=generator) * 0.9 - shift + 0.1
    outliers = torch.cat([outliers.clamp(-1, 1), known[:20]])  # ties
    assert outlier_auroc(known, outliers) == pytest.approx(by_pairs(known, outliers), abs=1e-6)


def test_near_values_are_told_apart():
    """As normalised features of a trained network have them."""
    known, outliers = 1 - torch.arange(1, 9) * 6e-8, 1 - torch.arange(9, 20) * 6e-8
    assert outlier_auroc(known, outliers) == 1 and outlier_auroc(outliers, known) == 0


def test_odd_values():
    assert outlier_auroc(torch.tensor([1.0000002]), torch.tensor([-1.0000002])) == 1
    assert outlier_auroc(torch.tensor([1.0004]), torch.tensor([1.0001])) == 1  # a bank of half precision
    assert math.isnan(outlier_auroc(torch.tensor([float('nan')]), torch.tensor([0.0])))


def test_the_metric():
    metric = OutlierAUROC()
    metric.process(None, [dict(familiarity=torch.tensor(value), gt_label=torch.tensor([0])) for value in (0.9, 0.4)])
    metric.process(None, [dict(familiarity=torch.tensor(value), gt_label=torch.tensor([-1]))
                          for value in (0.5, 0.1, 0.4)])
    assert metric.evaluate(5) == {'outliers/auroc': pytest.approx(100 * (3 + 1.5) / 6)}


def test_the_model_says_how_near(monkeypatch):
    """The k-th of all distances, the paper's; the same from features that lie in memory."""
    torch.manual_seed(0)
    bank, tested = torch.randn(30, 4), torch.randn(7, 4)
    model = MODELS.build(dict(type='lgd_mm.KNNClassifier', num_classes=3, k=5, backbone=dict(
        type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8))).eval()
    monkeypatch.setattr(model, 'embed', lambda inputs: F.normalize(inputs, dim=1))
    model(bank, [DataSample().set_gt_label(index % 3) for index in range(30)], mode='loss')
    samples = model(tested, mode='predict')
    distances = torch.cdist(F.normalize(tested, dim=1), F.normalize(bank, dim=1)).sort(dim=1).values[:, 4]
    found = torch.stack([sample.familiarity for sample in samples])
    torch.testing.assert_close(found, 1 - distances**2 / 2, rtol=0, atol=1e-3)  # the bank is of half precision
    torch.testing.assert_close(torch.stack([sample.feature for sample in samples]), F.normalize(tested, dim=1))
    features = [Features(part, torch.zeros(len(part), dtype=torch.long), None) for part in (bank, tested)]
    torch.testing.assert_close(familiarity(*features, 5), found, rtol=0, atol=1e-3)


def test_mistakes():
    metric = OutlierAUROC()
    with pytest.raises(UserError, match='test labelled images by an lgd_mm.KNNClassifier'):
        metric.process(None, [dict(pred_score=0, gt_label=0)])
    for label, word in ((-1, 'all'), (0, 'none')):
        metric.process(None, [dict(familiarity=torch.tensor(0.5), gt_label=label)] * 2)
        with pytest.raises(UserError, match=f'^{word} of the 2 images of val_dataloader are outliers: give it a Conc'):
            metric.evaluate(2)
        metric.results.clear()
