"""Refinement against the paper's sums written out, and what it is for: edges."""

import pytest
import torch
import torch.nn.functional as F

from lgd_mm.lean_mmseg import refinement
from lgd_mm.lean_mmseg.refinement import affinities, refine


def random(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def by_hand(image, scores, distances):
    """One iteration, pixel by pixel."""
    height, width = image.shape[1:]
    refined = torch.zeros_like(scores)
    for y in range(height):
        for x in range(width):
            places = [(min(max(y + distance * row, 0), height - 1), min(max(x + distance * column, 0), width - 1))
                      for distance in distances for row in (-1, 0, 1) for column in (-1, 0, 1) if row or column]
            colours = torch.stack([image[:, row, column] for row, column in places])
            deviation = torch.cat([colours, image[None, :, y, x]]).std(dim=0)
            unlike = ((colours - image[:, y, x]).abs() / (deviation + 1e-6)).mean(dim=1)
            weights = (-10 * unlike).softmax(dim=0)
            refined[:, y, x] = sum(weight * scores[:, row, column] for weight, (row, column) in zip(weights, places))
    return refined


def test_it_is_the_sum_over_neighbours(monkeypatch):
    monkeypatch.setattr(refinement, 'DISTANCES', (1, 3))
    images, scores = random(2, 3, 7, 6), random(2, 4, 7, 6, seed=1)
    affinity = affinities(images)
    assert affinity.shape == (16, 2, 1, 7, 6)
    torch.testing.assert_close(affinity.sum(0), torch.ones(2, 1, 7, 6))
    once = torch.stack([by_hand(image, score, (1, 3)) for image, score in zip(images, scores)])
    torch.testing.assert_close(refine(scores, affinity, 1), once, atol=1e-5, rtol=0)
    torch.testing.assert_close(refine(scores, affinity, 2), refine(once, affinity, 1), atol=1e-5, rtol=0)
    assert refine(scores, affinity, 0) is scores


def test_normalisation_does_not_matter():
    images = random(1, 3, 40, 30)
    normalised = (255 * images - torch.tensor([123., 116., 103.]).view(3, 1, 1)) / 58
    torch.testing.assert_close(affinities(normalised), affinities(images), atol=1e-3, rtol=0)


@pytest.mark.parametrize('images', [torch.zeros(1, 3, 5, 5), random(1, 3, 1, 1), random(1, 3, 1, 9)])
def test_even_images_and_tiny_ones_stay_finite(images):
    scores = random(1, 2, *images.shape[-2:], seed=1)
    refined = refine(scores, affinities(images), 10)
    assert refined.shape == scores.shape and torch.isfinite(refined).all()
    assert refined.min() >= scores.min() - 1e-6 and refined.max() <= scores.max() + 1e-6


def test_blurred_scores_follow_the_edges():
    """A disc known at a stride of 32 only, in an image with noise."""
    y, x = torch.meshgrid(torch.arange(128), torch.arange(128), indexing='ij')
    disc = ((y - 60)**2 + (x - 67)**2 < 30**2).float()
    front, behind = (torch.tensor(colour).view(3, 1, 1) for colour in ([0.9, 0.2, 0.1], [0.2, 0.5, 0.4]))
    image = (disc * front + (1 - disc) * behind + 0.05 * random(3, 128, 128))[None]
    coarse = F.interpolate(F.avg_pool2d(disc[None, None], 32), (128, 128), mode='bilinear')
    refined = refine(coarse, affinities(image), 10)
    wrong = [int(((scores[0, 0] > 0.5) != (disc > 0)).sum()) for scores in (coarse, refined)]
    assert wrong[0] > 300 and wrong[1] < 30, wrong
