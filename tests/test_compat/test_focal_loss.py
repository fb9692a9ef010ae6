"""The focal loss that mmdet asks mmcv for on a GPU, against mmdet's own of the CPU and numerical gradients."""

import pytest
import torch
from mmcv.ops import sigmoid_focal_loss
from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss
from torch.nn.functional import one_hot

from lgd_mm.compat.focal_loss import sigmoid_focal_loss_backward, sigmoid_focal_loss_forward
from lgd_mm.compat.mmcv_ext import has_compiled_ext

pytestmark = pytest.mark.skipif(has_compiled_ext(), reason='mmcv has compiled operators')


@pytest.fixture
def scores():
    """Of three classes; with rows of the background, and far from zero."""
    values = torch.randn(12, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) * 4
    values[0] = torch.tensor([-60.0, 60, 0])
    return values.requires_grad_(), torch.arange(12) % 4


@pytest.mark.parametrize('gamma', [0.0, 1.5, 2.0])
def test_loss_and_gradient_are_those_of_the_cpu(scores, gamma):
    values, target = scores
    ours = sigmoid_focal_loss(values, target, gamma, 0.25, None, 'none')
    theirs = py_sigmoid_focal_loss(values, one_hot(target, 4)[:, :3], gamma=gamma, alpha=0.25, reduction='none')
    torch.testing.assert_close(ours, theirs)
    factors = torch.rand(12, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found, expected = (torch.autograd.grad((loss * factors).sum(), values)[0] for loss in (ours, theirs))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize('reduction', ['sum', 'mean'])
def test_mmcv_reduces_and_weighs_it(scores, reduction):
    values, target = scores
    weight = torch.tensor([0.5, 1, 2], dtype=torch.float64)
    rows = target < 3
    args = (target[rows], 2.0, 0.25, weight, reduction)
    assert torch.autograd.gradcheck(lambda x: sigmoid_focal_loss(x, *args), values.detach()[rows].requires_grad_())
    plain = sigmoid_focal_loss(values, target, 2.0, 0.25, None, 'none')[rows]
    total = (plain * weight[target[rows]][:, None]).sum() / (1 if reduction == 'sum' else rows.sum())
    torch.testing.assert_close(sigmoid_focal_loss(values[rows], *args), total)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_types_are_computed_in_float32(scores, dtype):
    values, target = scores[0].detach().to(dtype), scores[1]
    for function in (sigmoid_focal_loss_forward, sigmoid_focal_loss_backward):
        half, full = torch.empty_like(values), torch.empty(values.shape)
        function(values, target, values.new_zeros(0), half, 2.0, 0.25)
        function(values.float(), target, values.new_zeros(0), full, 2.0, 0.25)
        assert torch.equal(half, full.to(dtype))


def test_no_rows():
    values = torch.zeros(0, 3, requires_grad=True)
    loss = sigmoid_focal_loss(values, torch.zeros(0, dtype=torch.long), 2.0, 0.25, None, 'sum')
    loss.backward()
    assert loss == 0 and values.grad.shape == (0, 3)
