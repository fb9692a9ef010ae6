"""The transformer: what is seen, what is the same in either form of attention, and BERT's own outputs."""

import pytest
import torch

from lgd_mm.errors import UserError
from lgd_mm.models.vl.masks import bidirectional_mask, seq2seq_mask
from lgd_mm.models.vl.transformer import Block, VLTransformer, initialise
from tests.test_models.test_vl.conftest import REGIONS, TAGS, TEXT, batch


def test_masks_by_hand():
    valid = torch.tensor([[True, True, False, True, False]])
    assert bidirectional_mask(valid)[0].int().tolist() == [
        [1, 1, 0, 1, 0], [1, 1, 0, 1, 0], [0, 0, 1, 0, 0], [1, 1, 0, 1, 0], [0, 0, 0, 0, 1]]
    assert seq2seq_mask(valid, 3)[0].int().tolist() == [
        [1, 0, 0, 1, 0], [1, 1, 0, 1, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]]


def test_padding_changes_nothing_of_what_is_there(captioner):
    inputs, _ = batch()
    before = captioner.encode(inputs).hidden[inputs['valid']]
    changed = dict(inputs, regions=inputs['regions'].clone(), text=inputs['text'].clone())
    changed['regions'][:, 3] = 100
    changed['text'][0, 4:TEXT] = 11
    assert torch.equal(captioner.encode(changed).hidden[inputs['valid']], before)


def test_a_word_sees_no_later_one_and_regions_no_word(captioner):
    inputs, _ = batch()
    before = captioner.encode(inputs).hidden
    changed = dict(inputs, text=inputs['text'].clone())
    changed['text'][:, 3] = 17
    after = captioner.encode(changed).hidden
    assert torch.equal(after[:, :3], before[:, :3])
    assert torch.equal(after[:, TEXT:], before[:, TEXT:])
    assert not torch.allclose(after[:, 3], before[:, 3])


def test_attention_maps_are_those_that_are_used(captioner):
    inputs, _ = batch()
    fused, shown = captioner.encode(inputs), captioner.encode(inputs, with_attention=True)
    assert fused.attention is None
    torch.testing.assert_close(shown.hidden, fused.hidden)
    assert shown.attention.shape == (3, 2, TEXT + TAGS + REGIONS, TEXT + TAGS + REGIONS)
    torch.testing.assert_close(shown.attention.sum(dim=3), torch.ones_like(shown.attention[..., 0]))
    mask = captioner.task.mask(inputs['valid'], TEXT)[:, None].expand_as(shown.attention)
    assert (shown.attention[~mask] == 0).all()


def test_a_block_is_that_of_torch(captioner):
    """An independent computation: ``nn.TransformerEncoderLayer`` with the same weights."""
    block = captioner.transformer.blocks[0]
    theirs = torch.nn.TransformerEncoderLayer(8, 2, 32, 0., 'gelu', 1e-12, batch_first=True).eval()
    theirs.load_state_dict({
        'self_attn.in_proj_weight': block.qkv.weight, 'self_attn.in_proj_bias': block.qkv.bias,
        'self_attn.out_proj.weight': block.out.weight, 'self_attn.out_proj.bias': block.out.bias,
        'linear1.weight': block.mlp[0].weight, 'linear1.bias': block.mlp[0].bias,
        'linear2.weight': block.mlp[2].weight, 'linear2.bias': block.mlp[2].bias,
        'norm1.weight': block.norm1.weight, 'norm1.bias': block.norm1.bias,
        'norm2.weight': block.norm2.weight, 'norm2.bias': block.norm2.bias})
    x, mask = torch.randn(2, 5, 8), torch.ones(5, 5, dtype=torch.bool).tril()
    ours, _ = block(x, mask[None, None].expand(2, 1, -1, -1))
    torch.testing.assert_close(ours, theirs(x, src_mask=~mask))


def test_dropout_reaches_the_maps_that_are_used_and_not_those_that_are_shown(captioner):
    block = captioner.transformer.blocks[1].train()
    block.rate = 0.5
    x, mask = torch.randn(1, 4, 8), torch.ones(1, 1, 4, 4, dtype=torch.bool)
    torch.manual_seed(1)
    (first, shown), (second, again) = block.with_attention(x, mask), block.with_attention(x, mask)
    assert torch.equal(shown, again) and not torch.allclose(first, second)


def test_large_scores_are_finite_in_half_precision():
    """Products of 64 numbers near 40 are beyond float16 before they are divided by 8."""
    block = Block(128, 2, 0.).half()
    torch.manual_seed(0)
    x = torch.randn(1, 5, 128)
    with torch.no_grad():
        block.qkv.weight[:256] = 0
        block.qkv.bias[:256] = 40
    mask = torch.ones(1, 1, 5, 5, dtype=torch.bool)
    found, shown = block.with_attention(x.half(), mask)
    assert found.isfinite().all()
    torch.testing.assert_close(shown, torch.full((1, 2, 5, 5), 0.2))


def test_random_weights_are_as_wide_as_asked():
    for std in (0.02, 0.125):
        torch.manual_seed(0)
        made = VLTransformer(vocabulary=100, region_width=38, width=64, depth=1, heads=4, init_std=std)
        initialise(made, made.init_std)
        assert made.blocks[0].qkv.weight.std().item() == pytest.approx(std, rel=0.05)
        assert made.words.weight[1:].std().item() == pytest.approx(std, rel=0.05) and not made.words.weight[0].any()
    with pytest.raises(UserError, match='init_std'):
        VLTransformer(vocabulary=100, region_width=38, width=64, depth=1, heads=4, init_std=0)
