"""Where a backbone has its channels, and which images it takes."""

import pytest
import torch
from mmengine.config import Config
from mmpretrain.models import TIMMBackbone

from lgd_mm.errors import UserError
from lgd_mm.models.classifiers import KNNClassifier
from lgd_mm.models.features import check_channels, check_size, feature_channels, mean_pool, own_size
from lgd_mm.registry import MODELS
from lgd_mm.students.backbone import build_backbone

#: Names of timm -> channels of what a student pools: maps, tokens with and without a class token, of other sizes.
READ = {
    'resnet18': 512, 'efficientnet_b0': 1280, 'convnext_atto': 320, 'mobilevit_xxs': 320, 'poolformer_s12': 512,
    'davit_tiny': 768, 'focalnet_tiny_srf': 768, 'hiera_tiny_224': 768, 'tresnet_m': 2048, 'vit_tiny_patch16_224': 192,
    'deit3_small_patch16_384': 384, 'xcit_nano_12_p8_224': 128, 'mixer_s32_224': 512,
    'swinv2_cr_tiny_224': 768, 'ghostnet_050': 1280, 'pit_ti_224': 256, 'levit_128s': 384,
    'coatnet_nano_rw_224': 512, 'edgenext_xx_small': 168, 'mvitv2_tiny': 768, 'nest_tiny': 384,
    'mobilenetv3_small_050': 1024,
}
#: Names of timm -> what it says: maps with channels last, tokens with channels first.
REFUSED = {
    'mambaout_femto': 1152, 'swin_tiny_patch4_window7_224': 768, 'swinv2_tiny_window8_256': 768, 'hieradet_small': 768,
    'efficientvim_m1': 960,
}


def _without_weights(name):
    """On torch's meta device, which computes shapes alone."""
    with torch.device('meta'):
        backbone = TIMMBackbone(name)
    backbone.eval()  # mmpretrain's return nothing
    return backbone


@pytest.mark.parametrize('name', READ)
def test_channels_are_those_that_timm_tells(name):
    backbone = _without_weights(name)
    size = own_size(backbone)
    with torch.no_grad(), torch.device('meta'):
        feature = backbone(torch.zeros(2, 3, size, size))[-1]
    check_channels(backbone, feature)
    assert mean_pool(feature).shape == (2, READ[name])


@pytest.mark.parametrize('name', REFUSED)
def test_channels_elsewhere_are_refused(name):
    backbone = _without_weights(name)
    size = own_size(backbone)
    with torch.no_grad(), torch.device('meta'):
        feature = backbone(torch.zeros(1, 3, size, size))[-1]
    cure = 'another backbone' if name == 'efficientvim_m1' else 'type lgd_mm.TIMMBackbone'
    with pytest.raises(UserError, match=f'of timm returns features of shape .* with {REFUSED[name]} channels, and a '
                                        f'student needs maps .*take {cure}'):
        check_channels(backbone, feature)


def test_refused_wherever_it_is_built():
    backbone = dict(type='mmpretrain.TIMMBackbone', model_name='test_mambaout')
    pictures = torch.zeros(1, 3, 64, 64)
    for look in (lambda: feature_channels(MODELS.build(backbone)),
                 lambda: build_backbone(Config(dict(model=dict(backbone=backbone))))(pictures),
                 lambda: KNNClassifier(backbone, num_classes=2).eval().embed(pictures)):
        with pytest.raises(UserError, match='returns features of shape .*take type lgd_mm.TIMMBackbone'):
            look()


@pytest.mark.parametrize('backbone, channels', [
    (dict(type='mmpretrain.ResNet', depth=18), 512),
    (dict(type='mmpretrain.SwinTransformer', arch='tiny'), 768),
    (dict(type='mmpretrain.VisionTransformer', arch='deit-tiny'), 192),
    (dict(type='mmpretrain.VisionTransformer', arch='deit-tiny', img_size=384, out_type='raw'), 192),
    (dict(type='mmpretrain.ConvNeXt', arch='atto'), 320),
    (dict(type='mmpretrain.ConvNeXt', arch='atto', gap_before_final_norm=False), 320),
    (dict(type='mmpretrain.VAN', arch='tiny'), 256),
    (dict(type='mmpretrain.MobileOne', arch='s0'), 1024),
    (dict(type='mmpretrain.TIMMBackbone', model_name='test_vit', img_size=96), 64),
    (dict(type='mmpretrain.TIMMBackbone', model_name='resnet10t', features_only=True), 512),
])
def test_channels_of_a_backbone(backbone, channels):
    assert feature_channels(MODELS.build(backbone)) == channels


def test_images_of_another_size():
    backbone = TIMMBackbone('vit_tiny_patch16_224', img_size=96)
    assert own_size(backbone) == 96
    check_size(backbone, 96, 'test_vit')
    with pytest.raises(UserError, match=r'the student \(test_vit\) takes no images of 64 x 64 pixels: give it those '
                                        'of 96 .--image-size 96, or size=96 in train_dataloader.dataset.pipeline'):
        check_size(backbone, 64, 'test_vit')
    check_size(TIMMBackbone('resnet10t'), 64, 'resnet10t')
