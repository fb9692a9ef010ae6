"""Convolutions that pad by the size of the image."""

import pytest
import torch
from mmcv.cnn.bricks.conv2d_adaptive_padding import Conv2dAdaptivePadding
from timm.layers import Conv2dSame
from torch import nn

from lgd_mm.errors import UserError
from lgd_mm.exports import graph
from lgd_mm.exports.graph import fix_padding, pads_by_size, takes_any_size, trace
from lgd_mm.exports.source import read_source


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


class Branching(nn.Module):
    """A backbone whose way depends on the image, by its size or by its content."""

    def __init__(self, by):
        super().__init__()
        self.by = by

    def forward(self, images):
        steps = sum(1 for _ in range(images.shape[-1])) if self.by == 'size' else 1 + bool(images.mean() > 0)
        return (images[:, :, ::32, ::32] * steps, )


@pytest.fixture
def branching(pretrained):
    def student(by):
        made = read_source(pretrained('slim')[1])
        made.backbone, made.neck = Branching(by), None
        return made

    return student


def test_a_network_that_cannot_be_followed_at_every_size_is_traced_at_one(branching):
    student = branching('size')
    assert takes_any_size(student)
    program, any_size = trace(student)
    assert not any_size
    images = graph.batches(False)[1]
    assert torch.equal(program.module()(images)['features'], student.outputs(images)['features'])


def test_a_network_that_cannot_be_followed_is_sent_elsewhere(branching):
    with pytest.raises(UserError, match=r'cannot trace this student \(mmpretrain.ResNet, .*\): .*data-dependent.*: '
                       'export it to one of mmpretrain, safetensors'):
        trace(branching('content'))
