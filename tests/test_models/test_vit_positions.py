"""The last block of a CLIP ViT in its other forms, against loops over heads and tokens."""

import math

import pytest
import torch
from torch import Tensor

from lgd_mm.models.teachers.dense import dense_tower
from tests.towers import coca, vit

ROWS, COLUMNS = 4, 6
BLOCKS = {
    'plain': {}, 'scaled layers': dict(ls_init_value=0.7), 'no norm before': dict(no_ln_pre=True),
    'average': dict(pool_type='avg', final_ln_after_pool=True),
    'own attention': dict(qk_norm=True, scale_heads=True, scale_attn_inner=True, scale_attn=True, scale_fc=True),
}


@pytest.fixture(params=BLOCKS)
def tower(request):
    return vit(**BLOCKS[request.param])


def trunk(tower, images: Tensor) -> Tensor:
    """What the last block is given (B, 1 + N, d)."""
    tokens = tower._embeds(images)
    for block in tower.transformer.resblocks[:-1]:
        tokens = block(tokens)
    return tokens


def out(tower, tokens: Tensor) -> Tensor:
    return tower.ln_post(tokens) @ tower.proj


@torch.no_grad()
def test_maskclip_is_attention_to_itself(tower):
    """The block by its own code, with a mask, and on sequences of one token."""
    images = torch.randn(2, 3, 8 * ROWS, 8 * COLUMNS)
    tokens, block = trunk(tower, images), tower.transformer.resblocks[-1]
    positions = dense_tower(tower, mode='maskclip').positions(images)
    alone = torch.full((1 + ROWS * COLUMNS, ) * 2, float('-inf')).fill_diagonal_(0)
    masked = out(tower, block(tokens, attn_mask=alone)[:, 1:])
    torch.testing.assert_close(positions, masked.transpose(1, 2).unflatten(2, (ROWS, COLUMNS)), atol=1e-5, rtol=1e-4)
    one = block(tokens[1:, 1 + COLUMNS * 2 + 3][:, None])
    torch.testing.assert_close(positions[1, :, 2, 3], out(tower, one)[0, 0], atol=1e-5, rtol=1e-4)
    assert torch.equal(positions, dense_tower(tower).positions(images))


@pytest.mark.parametrize('mode', ['clearclip', 'naclip'])
@torch.no_grad()
def test_no_residual_and_another_attention(tower, mode):
    """Softmax of a token's scores, written out for some of the positions of both images."""
    images = torch.randn(2, 3, 8 * ROWS, 8 * COLUMNS)
    tokens, block = trunk(tower, images), tower.transformer.resblocks[-1]
    attention = block.attn
    positions = dense_tower(tower, mode=mode).positions(images)
    assert positions.shape == (2, 24, ROWS, COLUMNS)
    places = [None, *((row, column) for row in range(ROWS) for column in range(COLUMNS))]  # the class has none
    for image, row, column in ((0, 0, 0), (0, 3, 5), (1, 2, 3), (1, 0, 5)):
        projected = block.ln_1(tokens[image]) @ attention.in_proj_weight.T + attention.in_proj_bias
        queries, keys, values = projected.chunk(3, dim=1)
        mixed = []
        for head in range(4):
            part = slice(8 * head, 8 * head + 8)
            like = queries[:, part] if mode == 'clearclip' else keys[:, part]
            if hasattr(attention, 'ln_q'):
                like = (attention.ln_q if mode == 'clearclip' else attention.ln_k)(like)
            own = like[1 + COLUMNS * row + column]
            scores = []
            for token, place in enumerate(places):
                score = float(own @ like[token]) / math.sqrt(8)
                if mode == 'naclip' and place is not None:
                    distance = math.hypot(row - place[0], column - place[1])
                    score += math.exp(-distance**2 / (2 * 5**2))
                scores.append(score)
            weights = [math.exp(score) / sum(map(math.exp, scores)) for score in scores]
            value = sum(weight * values[token, part] for token, weight in enumerate(weights))
            mixed.append(value * (attention.head_scale[head, 0, 0] if hasattr(attention, 'head_scale') else 1))
        joined = torch.cat(mixed)
        if hasattr(attention, 'ln_inner'):
            joined = attention.ln_inner(joined)
        added = attention.out_proj(joined)
        if hasattr(block, 'ln_attn'):
            added = block.ln_attn(added)
        torch.testing.assert_close(positions[image, :, row, column], out(tower, block.ls_1(added)), atol=1e-5,
                                   rtol=1e-4)


@pytest.mark.parametrize('width', [24, 32])
@torch.no_grad()
def test_coca_pools_each_token_alone(width):
    """The pool by its own code on a sequence of one token; of the embedding's width and of another."""
    tower, images = coca(width, heads=2), torch.randn(2, 3, 8 * ROWS, 8 * COLUMNS)
    tokens = tower.transformer.resblocks[-1](trunk(tower, images))
    positions = dense_tower(tower).positions(images)
    assert positions.shape == (2, 24, ROWS, COLUMNS)
    assert (tower.attn_pool.attn.in_proj_weight is None) == (width == 32)
    for image, row, column in ((0, 0, 0), (1, 2, 3), (1, 3, 5)):
        pooled = tower.attn_pool(tokens[image, 1 + COLUMNS * row + column][None, None])[0]  # the same for each query
        for query in pooled:
            torch.testing.assert_close(positions[image, :, row, column], out(tower, query), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize('mode', ['maskclip', 'clearclip', 'naclip'])
@torch.no_grad()
def test_images_that_patches_do_not_fill(mode):
    """What lies beyond the last whole patch is not looked at, as in the tower itself."""
    tower, images = vit(image_size=(37, 55)), torch.randn(2, 3, 37, 55)
    positions = dense_tower(tower, mode=mode).positions(images)
    assert positions.shape == (2, 24, ROWS, COLUMNS)
    assert torch.equal(positions, dense_tower(tower, mode=mode).positions(images[..., :32, :48]))


@pytest.mark.parametrize('mode', ['maskclip', 'clearclip', 'naclip'])
@torch.no_grad()
def test_half_precision(mode):
    tower, images = vit(), torch.randn(2, 3, 32, 48)
    exact = dense_tower(tower, mode=mode).positions(images)
    half = dense_tower(tower.bfloat16(), mode=mode).positions(images.bfloat16())
    assert half.dtype == torch.bfloat16
    assert torch.cosine_similarity(half.float(), exact, dim=1).min() > 0.99
