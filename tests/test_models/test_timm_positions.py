"""Heads of timm's networks at each position, against the networks' own code on one position."""

import itertools

import pytest
import torch

from lgd_mm.models.teachers.dense import dense_tower
from tests.towers import timm_tower

PLACES = ((0, 0, 0), (0, 3, 5), (1, 2, 3))


@pytest.mark.parametrize(('family', 'pool'), [('vit', 'map'), ('eva', 'map'), ('vit', 'avg'), ('eva', 'avg')])
@pytest.mark.parametrize('proj', ['linear', 'mlp', '', 'none'])
@torch.no_grad()
def test_a_head_takes_one_token(family, pool, proj):
    """Pooling by attention or by averages, norms and projections, on a sequence of that token."""
    tower, images = timm_tower(family, pool, proj), torch.randn(2, 3, 32, 48)
    trunk, positions = tower.trunk, dense_tower(tower).positions(images)
    assert positions.shape == (2, 32 if proj == 'none' else 24, 4, 6)  # SigLIP's pooling projects
    tokens = trunk.forward_features(images)
    assert tokens.shape[1] == 24 + trunk.num_prefix_tokens
    for image, row, column in PLACES:
        token = tokens[image, trunk.num_prefix_tokens + 6 * row + column][None, None]
        if pool == 'avg' and trunk.num_prefix_tokens:
            token = torch.cat([torch.zeros_like(token), token], dim=1)  # the class token, which averages leave out
        torch.testing.assert_close(positions[image, :, row, column], tower.head(trunk.forward_head(token))[0],
                                   atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('family', ['vit', 'eva'])
@pytest.mark.parametrize('proj', ['linear', ''])
@torch.no_grad()
def test_pooling_by_the_class_token_attends_to_itself_alone(family, proj):
    """The last block on a sequence of one token; rotations by its place leave its value as it is."""
    tower, images = timm_tower(family, 'token', proj), torch.randn(2, 3, 32, 48)
    trunk, positions, caught = tower.trunk, dense_tower(tower).positions(images), []
    handle = trunk.blocks[-1].register_forward_pre_hook(lambda block, args: caught.append(args[0]))
    tower(images)
    handle.remove()
    for image, row, column in PLACES:
        token = trunk.norm(trunk.blocks[-1](caught[0][image, 1 + 6 * row + column][None, None]))
        torch.testing.assert_close(positions[image, :, row, column], tower.head(trunk.forward_head(token))[0],
                                   atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('family', ['convnext', 'fastvit', 'swin'])
@pytest.mark.parametrize('proj', ['linear', 'mlp', ''])
@torch.no_grad()
def test_a_head_takes_a_map_of_one_position(family, proj):
    size = (64, 64) if family == 'swin' else (64, 96)
    tower, images = timm_tower(family, proj=proj), torch.randn(2, 3, *size)
    positions = dense_tower(tower).positions(images)
    features = tower.trunk.forward_features(images)
    assert positions.shape == (2, 24, 2, size[1] // 32)
    for image, row, column in itertools.product(range(2), range(2), range(size[1] // 32)):
        place = slice(row, row + 1), slice(column, column + 1)
        one = features[(image, *place)][None] if family == 'swin' else features[(image, slice(None), *place)][None]
        torch.testing.assert_close(positions[image, :, row, column], tower.head(tower.trunk.forward_head(one))[0],
                                   atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_convolutions_take_any_size():
    for family in ('convnext', 'fastvit'):
        tower = dense_tower(timm_tower(family))
        assert tower.takes_any_size and tower.positions(torch.randn(1, 3, 96, 160)).shape == (1, 24, 3, 5)
    tower = dense_tower(timm_tower('convnext'))
    assert tower.takes_any_size and tower.positions(torch.randn(1, 3, 101, 200)).shape == (1, 24, 3, 6)
    assert not dense_tower(timm_tower('swin')).takes_any_size
    assert not dense_tower(timm_tower('vit')).takes_any_size


@torch.no_grad()
def test_fused_kernels_and_plain_ones_agree():
    """The mask of the last block goes through either."""
    tower, images = timm_tower('vit', 'token'), torch.randn(2, 3, 32, 48)
    fused = dense_tower(tower).positions(images)
    tower.trunk.blocks[-1].attn.fused_attn = False
    torch.testing.assert_close(dense_tower(tower).positions(images), fused, atol=1e-5, rtol=1e-4)
