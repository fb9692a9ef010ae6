"""What a backbone gives, asked of the backbone."""

import pytest

from lgd_mm.errors import UserError
from lgd_mm.students.maps import for_dense_guidance, maps_of


def timm(name, **kwargs):
    return dict(type='lgd_mm.TIMMBackbone', model_name=name, **kwargs)


@pytest.mark.parametrize(('backbone', 'strides', 'channels', 'outputs', 'divisor'), [
    (timm('resnet18'), (2, 4, 8, 16, 32), (64, 64, 128, 256, 512), (0, 1, 2, 3, 4), 1),
    (timm('mobilenetv4_conv_small'), (2, 4, 8, 16, 32), (32, 32, 64, 96, 960), (0, 1, 2, 3, 4), 1),
    (timm('convnext_atto'), (4, 8, 16, 32), (40, 80, 160, 320), (0, 1, 2, 3), 1),
    (timm('swin_tiny_patch4_window7_224'), (4, 8, 16, 32), (96, 192, 384, 768), (0, 1, 2, 3), 1),
    (timm('vit_tiny_patch16_224'), (16, 16, 16), (192, 192, 192), (9, 10, 11), 1),
    (timm('eva02_tiny_patch14_224'), (14, 14, 14), (192, 192, 192), (9, 10, 11), 1),
    (timm('efficientformerv2_s0'), (4, 8, 16, 32), (32, 48, 96, 176), (0, 1, 2, 3), None),
    (timm('levit_128s'), (16, 32, 64), (128, 256, 384), (0, 1, 2), None),
    (timm('cspdarknet53'), (1, 2, 4, 8, 16, 32), (32, 64, 128, 256, 512, 1024), (0, 1, 2, 3, 4, 5), 1),
    (timm('test_maxvit'), (2, 4, 8, 16, 32), (32, 32, 64, 96, 128), (0, 1, 2, 3, 4), 160),
    (timm('coat_lite_tiny'), (4, 8, 16, 32), (64, 128, 256, 320), (0, 1, 2, 3), 32),
    (dict(type='mmpretrain.ResNet', depth=18, base_channels=8), (4, 8, 16, 32), (8, 16, 32, 64), (0, 1, 2, 3), 1),
    (dict(type='mmdet.CSPNeXt', deepen_factor=0.167, widen_factor=0.375), (2, 4, 8, 16, 32), (24, 48, 96, 192, 384),
     (0, 1, 2, 3, 4), 1),
    (dict(type='mmpretrain.VisionTransformer', arch='deit-tiny'), (16, ), (192, ), [-1], 1),
], ids=lambda value: value.get('model_name', value['type']) if isinstance(value, dict) else None)
def test_maps(backbone, strides, channels, outputs, divisor):
    maps = maps_of(backbone)
    assert (maps.strides, maps.channels) == (strides, channels)
    assert maps.backbone['out_indices'] == outputs and maps.divisor == divisor


def test_chosen():
    """Of each stride the last; one that is wanted twice, of a dilated network, takes two."""
    maps = maps_of(dict(type='mmpretrain.MobileNetV2'))
    assert maps.chosen((4, 8, 16, 32)).backbone['out_indices'] == (1, 2, 4, 7)
    assert maps.chosen((4, 8, 16, 32)).channels == (24, 32, 96, 1280)
    assert maps.chosen((16, 16)).backbone['out_indices'] == (3, 4)
    assert maps.chosen((64, )) is None and maps.chosen((32, 8)) is None
    dilated = maps_of(timm('resnet18'), output_stride=8)
    assert dilated.strides == (2, 4, 8, 8, 8) and dilated.backbone['output_stride'] == 8
    with pytest.raises(UserError, match='repvit_m0_9. has no dilated form, .* maps of stride 8: take one with UPerNet'):
        maps_of(timm('repvit_m0_9'), output_stride=8)


def test_for_dense_guidance():
    assert for_dense_guidance(timm('convnext_atto'))['out_indices'] == (1, 2, 3)
    assert for_dense_guidance(timm('vit_tiny_patch16_224'))['out_indices'] == (11, )
    assert for_dense_guidance(dict(type='mmpretrain.ResNet', depth=18))['out_indices'] == (1, 2, 3)
    with pytest.raises(UserError, match='gives maps of strides 16, 32, 64, and 8, 16 and 32 are needed'):
        for_dense_guidance(timm('levit_128s'))
