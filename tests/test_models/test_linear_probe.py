"""Only the head learns, from pooled features of a backbone that never moves."""

import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.structures import DataSample

from lgd_mm.errors import UserError
from lgd_mm.registry import MODELS


@pytest.fixture(autouse=True)
def scope():
    """mmpretrain's classifier names its preprocessor without a scope."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


BACKBONE = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8)


def probe(backbone=BACKBONE, **head):
    torch.manual_seed(0)
    return MODELS.build(dict(type='lgd_mm.LinearProbe', backbone=backbone,
                             head=dict(type='mmpretrain.LinearClsHead', num_classes=3, **head)))


def batch(count=4):
    generator = torch.Generator().manual_seed(1)
    return torch.rand(count, 3, 32, 32, generator=generator), [DataSample().set_gt_label(i % 3) for i in range(count)]


def test_only_the_head_moves():
    """Not even the backbone's batch statistics, though the model is set to training."""
    model = probe().train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=1.0)
    inputs, samples = batch()
    model(inputs, samples, mode='loss')['loss'].backward()
    optimizer.step()
    moved = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert moved == {'head.fc.weight', 'head.fc.bias'}
    assert model.head.training and not any(module.training for module in model.backbone.modules())


def test_loss_is_of_pooled_features():
    """Mean over positions, one layer, cross entropy."""
    model = probe()
    inputs, samples = batch()
    features = model.backbone(inputs)[-1].mean(dim=(2, 3))
    logits = features @ model.head.fc.weight.T + model.head.fc.bias
    expected = -logits.log_softmax(dim=1)[range(4), [0, 1, 2, 0]].mean()
    torch.testing.assert_close(model(inputs, samples, mode='loss')['loss'], expected)
    model.eval()
    assert [int(sample.pred_label) for sample in model.predict(inputs)] == logits.argmax(dim=1).tolist()


@pytest.mark.parametrize('backbone', [
    dict(type='mmpretrain.MobileNetV2', widen_factor=0.25),
    dict(type='mmpretrain.TIMMBackbone', model_name='mobilenetv3_small_050'),
    dict(type='mmpretrain.VisionTransformer', arch='deit-tiny', patch_size=32, out_type='featmap'),
    dict(type='mmpretrain.VisionTransformer', arch='deit-tiny', patch_size=32, out_type='cls_token'),
], ids=['mobilenet', 'timm', 'map', 'token'])
def test_any_backbone(backbone):
    """The head takes the width of the last output, whatever its form."""
    model = probe(backbone)
    inputs = torch.rand(2, 3, 224, 224)
    [features] = model.extract_feat(inputs)
    assert features.shape == (2, model.head.fc.in_features) and not features.requires_grad


def test_a_wrong_width_is_told():
    with pytest.raises(UserError, match='in_channels is 512, but the backbone has 64 channels: set it to 64'):
        probe(in_channels=512)
