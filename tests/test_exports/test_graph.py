"""Convolutions that pad by the size of the picture."""

import pytest
import torch
from mmcv.cnn.bricks.conv2d_adaptive_padding import Conv2dAdaptivePadding
from timm.layers import Conv2dSame
from torch import nn

from lgd_mm.exports.graph import fix_padding, pads_by_size


@pytest.mark.parametrize('kind', [Conv2dAdaptivePadding, Conv2dSame])
@pytest.mark.parametrize('kernel, stride, dilation', [(3, 1, 1), (3, 2, 1), (5, 2, 1), (1, 2, 1), (3, 1, 2)])
def test_fixed_padding_is_that_of_every_size_the_stride_divides(kind, kernel, stride, dilation):
    network = nn.Sequential(nn.Sequential(kind(3, 6, kernel, stride, dilation=dilation, groups=3)))
    images = torch.rand(2, 3, 32, 64)
    expected = network(images)
    assert pads_by_size(network)
    fix_padding(network)
    assert not pads_by_size(network)
    assert torch.equal(network(images), expected)
