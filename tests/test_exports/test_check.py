"""When two outputs are the same."""

import pytest
import torch

from lgd_mm.errors import UserError
from lgd_mm.exports.check import compare, sample_image


def test_difference_is_told_in_both_units():
    expected = dict(a=torch.tensor([1.0, -4.0]), b=torch.tensor([0.5]))
    found = dict(a=torch.tensor([1.0, -4.002]), b=torch.tensor([0.5]))
    largest, relative = compare('x', expected, found, tolerance=1e-3)
    assert largest == pytest.approx(2e-3, rel=1e-3) and relative == pytest.approx(5e-4, rel=1e-3)


@pytest.mark.parametrize('value, said', [
    (torch.tensor([1.0, 2.1]), 'torchy computes other maps than the student: they differ by 0.05'),
    (torch.tensor([1.0, float('nan')]), 'computes other maps'),
    (torch.tensor([1.0]), r'of shape \(1,\)'),
])
def test_what_differs_is_refused(value, said):
    with pytest.raises(UserError, match=said):
        compare('torchy', dict(maps=torch.tensor([1.0, 2.0])), dict(maps=value), tolerance=1e-3)


def test_broken_student_is_told():
    broken = dict(maps=torch.tensor([float('inf')]))
    with pytest.raises(UserError, match='not finite'):
        compare('x', broken, broken, tolerance=1e-3)


def test_image_is_a_image():
    image = sample_image(64, 32)
    assert image.shape == (1, 3, 64, 32) and 0 <= image.min() < 0.3 < image.max() <= 1
    assert torch.equal(image, sample_image(64, 32))
