"""Logistic regression of few images is the minimum that another solver finds."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.special import logsumexp

from lgd_mm.models.classifiers.logistic import PENALTY, fit_logistic, unit


def blobs(shots, classes=5, width=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    centres = torch.randn(classes, width, generator=generator)
    labels = torch.arange(classes).repeat(shots)
    return centres[labels] + torch.randn(len(labels), width, generator=generator), labels


def by_scipy(features, labels, classes, penalty):
    """The same objective in numpy, with its gradient by hand."""
    given, truth = features.numpy(), np.eye(classes)[labels.numpy()]

    def objective(flat):
        weight = flat.reshape(classes, -1)
        logits = given @ weight.T
        log_sum = logsumexp(logits, axis=1, keepdims=True)
        value = (log_sum[:, 0] - (logits * truth).sum(1)).sum() + penalty / 2 * (weight**2).sum()
        return value, ((np.exp(logits - log_sum) - truth).T @ given + penalty * weight).ravel()

    found = minimize(objective, np.zeros(classes * given.shape[1]), jac=True, method='L-BFGS-B',
                     options=dict(maxiter=20000, maxfun=20000, ftol=0, gtol=1e-9))
    return found.x.reshape(classes, -1)


@pytest.mark.parametrize('shots', [1, 5, 20])
@pytest.mark.parametrize('penalty', [PENALTY, 1.0])
def test_another_solver_finds_the_same(shots, penalty):
    features, labels = blobs(shots)
    features = unit(features)
    ours, theirs = fit_logistic(features, labels, 5, penalty), by_scipy(features, labels, 5, penalty)
    assert np.abs(ours.numpy() - theirs).max() <= 2e-3 * np.abs(theirs).max()


def test_it_is_flat_there():
    """Twice the same, and the slope of the objective is none; float16 is taken as it is."""
    features, labels = blobs(10)
    features = unit(features.half())
    weight = fit_logistic(features, labels, 5)
    assert torch.equal(weight, fit_logistic(features, labels, 5)) and weight.dtype == torch.float64
    slope = ((features @ weight.T).softmax(1) - torch.eye(5, dtype=torch.float64)[labels]).T @ features
    assert (slope + PENALTY * weight).abs().max() < 1e-5
    assert fit_logistic(features, labels, 7).shape == (7, 16)  # two classes that none of the images has


def test_unit():
    features = torch.tensor([[1., 2., 6.], [5., 5., 5.]])
    by_hand = torch.tensor([-2., -1., 3.], dtype=torch.float64) / 14**0.5
    assert torch.allclose(unit(features)[0], by_hand) and torch.equal(unit(features)[1], torch.zeros(3).double())
