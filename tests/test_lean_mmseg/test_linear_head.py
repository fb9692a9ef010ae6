"""The linear probe of segmentation, by torch's functions alone."""

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import MODELS, DefaultScope
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

import lgd_mm.lean_mmseg  # noqa: F401 - registers the head


def head(**changes):
    with DefaultScope.overwrite_default_scope('mmseg'):
        return MODELS.build(dict(type='lgd_mm.LinearSegHead', **{
            **dict(in_channels=4, in_index=1, num_classes=3, norm_cfg=dict(type='BN'), loss_decode=dict(
                type='CrossEntropyLoss')), **changes}))


@pytest.mark.parametrize('training', [True, False])
def test_a_norm_and_a_layer(training):
    torch.manual_seed(0)
    probe = head().train(training)
    probe.init_weights()
    probe.bn.running_mean.normal_()
    probe.bn.running_var.uniform_(0.5, 2)
    finer, last = torch.randn(2, 5, 8, 8), 3 + torch.randn(2, 4, 4, 4)
    mean, var = ((last.mean((0, 2, 3)), last.var((0, 2, 3), correction=0)) if training else
                 (probe.bn.running_mean.clone(), probe.bn.running_var.clone()))
    normed = (last - mean[:, None, None]) / (var[:, None, None] + 1e-5).sqrt()
    expected = torch.einsum('kc,bchw->bkhw', probe.conv_seg.weight[..., 0, 0], normed) + probe.conv_seg.bias[
        :, None, None]
    logits = probe((finer, last))
    assert torch.allclose(logits, expected, atol=1e-6)

    labels = torch.randint(3, (2, 1, 16, 16))
    samples = [SegDataSample(gt_sem_seg=PixelData(data=each)) for each in labels]
    whole = F.interpolate(logits, (16, 16), mode='bilinear', align_corners=False)
    losses = probe.loss_by_feat(logits, samples)
    assert losses['loss_ce'].item() == pytest.approx(F.cross_entropy(whole, labels[:, 0]).item())


def test_nothing_else_is_in_it():
    """No dropout, as published; across GPUs, the norm sees all images."""
    assert {key: tuple(value.shape) for key, value in head().named_parameters()} == {
        'conv_seg.weight': (3, 4, 1, 1), 'conv_seg.bias': (3, ), 'bn.weight': (4, ), 'bn.bias': (4, )}
    assert head().dropout is None and head(dropout_ratio=0.1).dropout.p == 0.1
    assert type(head(norm_cfg=None).bn).__name__ == 'SyncBatchNorm'
