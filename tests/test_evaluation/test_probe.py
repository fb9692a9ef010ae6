"""The sweep is a training for each rate; the images that choose among them are a tenth of each class."""

import pytest
import torch
import torch.nn.functional as F

from lgd_mm.errors import UserError
from lgd_mm.evaluation.probe import BATCH, hold_out, top1, train_probes

RATES = [0.01, 0.3, 3.0]


def blobs(count=600, classes=3, width=5):
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(classes, (count, ), generator=generator)
    centres = torch.randn(classes, width, generator=generator)
    return centres[labels] + 0.7 * torch.randn(count, width, generator=generator), labels


def trained_alone(features, labels, rate, epochs, seed):
    """A layer, torch's SGD with the rate itself, torch's cosine."""
    generator = torch.Generator().manual_seed(seed)
    layer = torch.nn.Linear(features.shape[1], 3)
    with torch.no_grad():
        layer.weight.copy_(0.01 * torch.randn(layer.weight.shape, generator=generator))
        layer.bias.zero_()
    optimizer = torch.optim.SGD(layer.parameters(), lr=rate, momentum=0.9, weight_decay=0)
    steps = epochs * len(torch.arange(len(features)).split(BATCH))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(epochs):
        for batch in torch.randperm(len(features), generator=generator).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(layer(features[batch]), labels[batch]).backward()
            optimizer.step()
            schedule.step()
    return layer


def test_the_sweep_equals_separate_trainings():
    features, labels = blobs()
    probes = train_probes(features, labels, 3, RATES, epochs=4, seed=7)
    for index, rate in enumerate(RATES):
        alone = trained_alone(features, labels, rate, epochs=4, seed=7)
        torch.testing.assert_close(probes.weight[index], alone.weight.detach(), rtol=0, atol=1e-5)
        torch.testing.assert_close(probes.bias[index], alone.bias.detach(), rtol=0, atol=1e-5)
        right = (alone(features).argmax(dim=1) == labels).float().mean() * 100
        assert float(top1(probes, features, labels)[index]) == pytest.approx(float(right))


def test_a_rate_that_diverges_leaves_the_others_alone():
    features, labels = blobs()
    mild, wild = train_probes(1e3 * features, labels, 3, [1e-4, 1e38], epochs=2, seed=0).weight
    assert not wild.isfinite().all()
    torch.testing.assert_close(mild, train_probes(1e3 * features, labels, 3, [1e-4], epochs=2, seed=0).weight[0])


def test_seeds_decide():
    features, labels = blobs()
    first, again, other = (train_probes(features.half(), labels, 3, RATES, epochs=1, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(first.weight, again.weight) and not torch.equal(first.weight, other.weight)


def test_a_tenth_of_each_class_is_held_out():
    labels = torch.tensor(40 * [0] + 100 * [1] + 3 * [2] + [3])
    held = hold_out(labels, seed=0)
    assert labels[held].bincount(minlength=4).tolist() == [4, 10, 1, 0]
    assert torch.equal(held, hold_out(labels, seed=0)) and not torch.equal(held, hold_out(labels, seed=1))


def test_one_image_of_each_class_is_too_few():
    with pytest.raises(UserError, match='one image of each class.*give two'):
        hold_out(torch.arange(5), seed=0)
