"""Finer maps of a CLIP ResNet, against convolutions written out tap by tap."""

import copy
import itertools

import pytest
import torch
from torch import Tensor

from lgd_mm.models.teachers.dense import dense_tower
from lgd_mm.models.teachers.folding import fold
from tests.towers import resnet


def shifted(x: Tensor, down: int, right: int, beyond: str) -> Tensor:
    """The values so far below and to the right of each position; beyond the border zeros, or what lies there."""
    height, width = x.shape[-2:]
    out = torch.zeros_like(x)
    for row, column in itertools.product(range(height), range(width)):
        there = row + down, column + right
        if beyond == 'border':
            there = min(max(there[0], 0), height - 1), min(max(there[1], 0), width - 1)
        if 0 <= there[0] < height and 0 <= there[1] < width:
            out[..., row, column] = x[..., there[0], there[1]]
    return out


def pointwise(conv, x: Tensor) -> Tensor:
    return torch.einsum('bchw,oc->bohw', x, conv.weight[..., 0, 0]) + conv.bias[:, None, None]


def around(conv, x: Tensor, gap: int) -> Tensor:
    """A 3 x 3 convolution with that gap between its taps."""
    out = conv.bias[:, None, None]
    for down, right in itertools.product((-1, 0, 1), repeat=2):
        taps = conv.weight[:, :, down + 1, right + 1]
        out = out + torch.einsum('bchw,oc->bohw', shifted(x, gap * down, gap * right, 'zeros'), taps)
    return out


def smooth(x: Tensor, gap: int) -> Tensor:
    """What a pool of 2 x 2 gives, averaged over the four that hold the position."""
    return sum((2 - abs(down)) * (2 - abs(right)) / 16 * shifted(x, gap * down, gap * right, 'border')
               for down, right in itertools.product((-1, 0, 1), repeat=2))


def layer(blocks, x: Tensor, gap: int) -> Tensor:
    for number, block in enumerate(blocks):
        inner = around(block.conv2, pointwise(block.conv1, x).relu(), 2 * gap if number else gap).relu()
        if number == 0:
            x = pointwise(block.downsample.get_submodule('0'), smooth(x, gap))
            inner = smooth(inner, gap)
        x = (x + pointwise(block.conv3, inner)).relu()
    return x


@torch.no_grad()
def test_stride_32_is_the_value_of_the_pool():
    tower, images = fold(resnet()), torch.randn(2, 3, 64, 96)
    features = tower.layer4(tower.layer3(tower.layer2(tower.layer1(tower.stem(images)))))
    for stride in (None, 32):
        positions = dense_tower(tower, stride).positions(images)
        assert positions.shape == (2, 24, 2, 3)
        for image, row, column in ((0, 0, 0), (1, 1, 2)):
            expected = tower.attnpool.out(tower.attnpool.value(features[image, :, row, column]))
            torch.testing.assert_close(positions[image, :, row, column], expected, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_stride_32_is_the_value_of_a_pool_that_is_not_folded():
    original, images = resnet(), torch.randn(2, 3, 64, 96)
    caught = []
    handle = original.layer4.register_forward_hook(lambda module, args, out: caught.append(out))
    original.attnpool.register_forward_pre_hook(lambda module, args: (torch.zeros(2, 256, 2, 2), ))
    original(images)
    handle.remove()
    pool = original.attnpool
    expected = pool.c_proj(pool.v_proj(caught[0][1, :, 1, 2]))
    positions = dense_tower(fold(original)).positions(images)
    torch.testing.assert_close(positions[1, :, 1, 2], expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize('stride', [16, 8])
@pytest.mark.parametrize('size', [(64, 96), (70, 61)])
@torch.no_grad()
def test_finer_maps_are_dilated_convolutions(stride, size):
    tower, images = fold(resnet((1, 1, 2, 2))), torch.randn(2, 3, *size)
    features = tower.layer2(tower.layer1(tower.stem(images)))
    if stride == 16:
        features = layer(tower.layer4, tower.layer3(features), 1)
    else:
        features = layer(tower.layer4, layer(tower.layer3, features, 1), 2)
    expected = tower.attnpool.out(tower.attnpool.value(features.permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
    positions = dense_tower(tower, stride).positions(images)
    assert positions.shape == (2, 24, size[0] // stride, size[1] // stride)
    torch.testing.assert_close(positions, expected, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_a_flat_image_has_the_coarse_values_away_from_its_border():
    """Where nothing changes from place to place, a stride takes nothing away."""
    tower, images = fold(resnet()), torch.ones(1, 3, 512, 512)
    coarse = dense_tower(tower).positions(images)[..., 8, 8]
    for stride in (16, 8):
        middle = 256 // stride
        finer = dense_tower(tower, stride).positions(images)
        torch.testing.assert_close(finer[..., middle, middle], coarse, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('stride', [32, 16, 8])
@torch.no_grad()
def test_weights_are_shared(stride):
    """Nothing is copied, and a tower that changes its type or its values takes the finer map along."""
    tower, images = fold(resnet()), torch.randn(1, 3, 64, 64)
    dense = dense_tower(tower, stride)
    finer = list(dense.finer.parameters())
    assert len(finer) == {32: 0, 16: 14, 8: 22}[stride]
    assert {id(weight) for weight in finer} <= {id(weight) for weight in tower.parameters()}
    tower.to(torch.bfloat16)
    assert {weight.data_ptr() for weight in finer} <= {weight.data_ptr() for weight in tower.parameters()}
    pooled, positions = dense(images.bfloat16())
    assert positions.dtype == pooled.dtype == torch.bfloat16
    assert torch.equal(pooled, tower(images.bfloat16()))
    assert torch.equal(positions, dense_tower(tower, stride)(images.bfloat16())[1])
    tower.layer4[0].conv1.weight.zero_()
    assert not torch.equal(dense.positions(images.bfloat16()), positions)


def test_a_copy_shares_its_own_weights():
    """As of a model whose average is kept."""
    tower = fold(resnet())
    dense = dense_tower(tower, 8)
    other = copy.deepcopy(dense)
    assert {id(weight) for weight in other.finer.parameters()} <= {id(weight) for weight in other.visual.parameters()}
    assert not {id(weight) for weight in other.visual.parameters()} & {id(weight) for weight in tower.parameters()}
