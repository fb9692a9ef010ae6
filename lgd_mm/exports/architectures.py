"""Which network of torchvision and of timm a backbone is."""

from collections.abc import Mapping
from typing import Any, NamedTuple

#: Variants of mmpretrain's MobileNetV3 and what timm calls them.
MOBILENET_V3 = dict(large='large_100', small='small_100', small_075='small_075', small_050='small_050')
#: Depth and width of mmdet's CSPNeXt and what timm calls them.
CSPNEXT = {(0.167, 0.375): 'tiny', (0.33, 0.5): 's', (0.67, 0.75): 'm', (1, 1): 'l', (1.33, 1.25): 'x'}
#: Keys of a backbone's config that are not timm's.
NOT_TIMM = ('type', 'model_name', 'pretrained', 'checkpoint_path', 'in_channels', 'features_only')


class Architecture(NamedTuple):
    """A network of another library.

    Attributes:
        name (str): As that library's own function takes it.
        arguments (dict[str, Any]): Further arguments of that function.
    """

    name: str
    arguments: dict[str, Any]


def kind_of(backbone: Mapping[str, Any]) -> str:
    """The type of a backbone without its library."""
    return str(backbone['type']).rsplit('.', 1)[-1]


def in_torchvision(backbone: Mapping[str, Any]) -> Architecture | None:
    """The network for ``torchvision.models.get_model``, if its layers may be the same.

    EfficientNet is left out: mmpretrain pads as TensorFlow does, torchvision symmetrically.
    """
    kind = kind_of(backbone)
    if kind == 'ResNet':
        return Architecture(f'resnet{backbone["depth"]}', {})
    if kind == 'MobileNetV2':
        width = float(backbone.get('widen_factor', 1.0))
        return Architecture('mobilenet_v2', {} if width == 1 else dict(width_mult=width))
    if kind == 'MobileNetV3' and backbone.get('arch', 'small') in ('large', 'small'):
        return Architecture(f'mobilenet_v3_{backbone.get("arch", "small")}', {})
    if kind == 'TIMMBackbone':
        return Architecture(str(backbone['model_name']).split('.')[0], {})
    return None


def in_timm(backbone: Mapping[str, Any]) -> Architecture | None:
    """The network for ``timm.create_model``, if its layers may be the same."""
    kind = kind_of(backbone)
    if kind == 'ResNet':
        return Architecture(f'resnet{backbone["depth"]}', dict(num_classes=0))
    if kind == 'MobileNetV2':
        return Architecture(f'mobilenetv2_{round(100 * backbone.get("widen_factor", 1.0)):03}', dict(num_classes=0))
    if kind == 'MobileNetV3' and backbone.get('arch', 'small') in MOBILENET_V3:
        # timm puts a layer of its classifier between pooling and features, unless it is asked for maps only.
        return Architecture(f'mobilenetv3_{MOBILENET_V3[backbone.get("arch", "small")]}',
                            dict(features_only=True, bn_eps=0.001))
    if kind == 'EfficientNet':
        return Architecture(f'tf_efficientnet_{backbone.get("arch", "b0")}', dict(num_classes=0))
    size = CSPNEXT.get((backbone.get('deepen_factor', 1), backbone.get('widen_factor', 1)))
    if kind == 'CSPNeXt' and size:
        return Architecture(f'cspnext_{size}', dict(num_classes=0))
    if kind == 'TIMMBackbone' and not backbone.get('features_only'):
        own = {key: value for key, value in backbone.items() if key not in NOT_TIMM}
        return Architecture(str(backbone['model_name']).split('.')[0], {**own, 'num_classes': 0})
    return None
