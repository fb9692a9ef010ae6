"""The error is that of its definition, bin by bin."""

import numpy as np
import pytest
import torch

from lgd_mm.errors import UserError
from lgd_mm.metrics import CalibrationError
from lgd_mm.metrics.calibration import calibration_error


def by_definition(confidences, correct, bins):
    """Guo et al., Eq. 3, of bins that begin at their lower bound."""
    bounds = np.linspace(0, 1, bins + 1)
    error = 0.0
    for low, high in zip(bounds[:-1], bounds[1:]):
        inside = (confidences >= low) & ((confidences < high) | ((high == 1) & (confidences == 1)))
        if inside.any():
            error += inside.mean() * abs(correct[inside].mean() - confidences[inside].mean())
    return error


@pytest.mark.parametrize('bins', [1, 10, 15])
def test_definition(bins):
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0.2, 1.2, 500).clip(max=1).astype(np.float32)  # many are certain
    correct = rng.random(500) < confidences**2 - 0.1  # says too much
    ours = calibration_error(torch.from_numpy(confidences), torch.from_numpy(correct), bins)
    assert ours == pytest.approx(by_definition(confidences, correct, bins), abs=1e-6) and ours > 0.1


def samples(scores, labels):
    return [dict(pred_score=torch.tensor(score), gt_label=torch.tensor([label]))
            for score, label in zip(scores, labels)]


def evaluated(data_samples, **kwargs):
    metric = CalibrationError(**kwargs)
    metric.process(None, data_samples)
    return metric.evaluate(len(data_samples))


def test_by_hand():
    """Three say 0.8 and two of them are right; one says 0.6 and is wrong: 3/4 x |2/3 - 0.8| + 1/4 x 0.6."""
    scores, labels = [[0.8, 0.2], [0.8, 0.2], [0.2, 0.8], [0.6, 0.4]], [0, 1, 1, 1]
    assert evaluated(samples(scores, labels)) == dict(
        [('calibration/ece', pytest.approx(100 * (0.75 * (0.8 - 2 / 3) + 0.25 * 0.6), abs=1e-4))])


def test_the_last_bin_holds_its_upper_bound():
    """Two say 0.95 and are right, two are certain and wrong: one bin, |2/4 - 3.9/4|."""
    scores, labels = [[0.95, 0.05]] * 2 + [[1.0, 0.0]] * 2, [0, 0, 1, 1]
    assert evaluated(samples(scores, labels))['calibration/ece'] == pytest.approx(47.5, abs=1e-4)


@pytest.mark.parametrize(('label', 'error'), [(0, 0), (1, 100)])
def test_certainty(label, error):
    """A probability of 1 lies in a bin as any other; floating point may make a little more of it."""
    assert evaluated(samples([[1.0, 0.0]] * 5, [label] * 5))['calibration/ece'] == pytest.approx(error)
    assert evaluated(samples([[1.0000001, 0.0]] * 5, [label] * 5))['calibration/ece'] == pytest.approx(error)


def test_a_model_that_has_diverged():
    assert np.isnan(evaluated(samples([[float('nan')] * 2, [0.5, 0.5]], [0, 1]))['calibration/ece'])


def test_half_precision():
    half = [dict(each, pred_score=each['pred_score'].half()) for each in samples([[0.75, 0.25]] * 4, [0, 0, 0, 1])]
    assert evaluated(half)['calibration/ece'] == pytest.approx(0)


def test_mistakes():
    with pytest.raises(UserError, match='bins of lgd_mm.CalibrationError is 0'):
        CalibrationError(bins=0)
    with pytest.raises(UserError, match=r'they sum to 1, and those of the model to 1\.6'):
        evaluated(samples([[0.9, 0.7]], [0]))
    with pytest.raises(UserError, match='needs the probabilities of a classifier'):
        evaluated([dict(pred_sem_seg=0)])
