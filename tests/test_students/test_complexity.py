"""Parameters and multiply-adds, against those that torchvision publishes and others by hand."""

import pytest
import torchvision
from mmengine.config import Config
from torch import nn

from lgd_mm.students.backbone import build_backbone
from lgd_mm.students.complexity import complexity


def built(**backbone):
    network = build_backbone(Config(dict(default_scope='mmpretrain', model=dict(backbone=backbone))))
    network.eval()
    return network


@pytest.mark.parametrize('backbone, weights, width', [
    (dict(type='mmpretrain.ResNet', depth=18), torchvision.models.ResNet18_Weights.IMAGENET1K_V1, 512),
    (dict(type='mmpretrain.MobileNetV2'), torchvision.models.MobileNet_V2_Weights.IMAGENET1K_V1, 1280)])
def test_published_figures(backbone, weights, width):
    """torchvision's ``_ops`` are 10^9 multiply-adds, those of the classifier of 1,000 classes included."""
    parameters, multiply_adds = complexity(built(**backbone), 224, 224)
    assert (multiply_adds + 1000 * width) / 1e9 == pytest.approx(weights.meta['_ops'], abs=6e-4)
    assert parameters + 1000 * width + 1000 == weights.meta['num_params']


def test_a_transformer_by_hand():
    """The attention counts, whichever kernel computes it."""
    tokens, width, depth = 1 + 14 * 14, 192, 12
    of_block = tokens * width * (3 * width + width + 8 * width) + 2 * tokens * tokens * width
    network = built(type='lgd_mm.TIMMBackbone', model_name='vit_tiny_patch16_224')
    assert complexity(network, 224, 224).multiply_adds == depth * of_block + 14 * 14 * 3 * 16 * 16 * width


def test_a_small_network_by_hand():
    network = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(),
                            nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False), nn.Flatten(), nn.Linear(8 * 5 * 4, 7))
    network.eval()
    assert complexity(network, 10, 8) == (
        8 * 27 + 8 + 16 + 8 * 9 + 160 * 7 + 7,
        20 * (8 * 27 + 8 * 9) + 160 * 7)
