"""What a backbone returns, whatever its kind: maps, tokens or vectors."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lgd_mm.errors import UserError


def mean_pool(feature: Tensor) -> Tensor:
    """Average a map (B, d, H, W) or tokens (B, N, d) over positions; a vector (B, d) stays.

    Args:
        feature (Tensor): One of a backbone's outputs.

    Returns:
        Tensor: (B, d).
    """
    return feature.mean(dim={4: (2, 3), 3: (1, )}[feature.dim()]) if feature.dim() > 2 else feature


def width_of(feature: Tensor) -> int:
    """Channels of a map (B, d, H, W), of tokens (B, N, d) or of a vector (B, d).

    Args:
        feature (Tensor): One of a backbone's outputs.
    """
    return feature.shape[1] if feature.dim() == 4 else feature.shape[-1]


@torch.no_grad()
def feature_channels(backbone: nn.Module) -> int:
    """Channels of the backbone's last output, found by showing it an empty image.

    Args:
        backbone (nn.Module): Takes (B, 3, H, W) and returns a tuple of feature maps, as mmpretrain's backbones do.

    Returns:
        int: Channels of the last feature map (B, C, H, W), tokens (B, N, C) or vector (B, C).

    Raises:
        UserError: If it has its channels elsewhere.
    """
    feature = of_empty_image(backbone)[-1]
    check_channels(backbone, feature)
    return width_of(feature)


@torch.no_grad()
def of_empty_image(backbone: nn.Module) -> Sequence[Tensor]:
    """What a backbone returns of an empty image of its own size.

    Args:
        backbone (nn.Module): See :func:`feature_channels`, on any device.

    Returns:
        Sequence[Tensor]: All its outputs.
    """
    size, parameter = own_size(backbone), next(backbone.parameters(), torch.zeros(0))
    training = backbone.training
    backbone.eval()
    features: Sequence[Tensor] = backbone(
        torch.zeros(1, 3, size, size, device=parameter.device, dtype=parameter.dtype))
    backbone.train(training)
    return features


@torch.no_grad()
def map_channels(backbone: nn.Module, strides: Sequence[int] | None = None, key: str = 'model.dense') -> list[int]:
    """Channels of all outputs of a backbone, found by showing it an empty image.

    Args:
        backbone (nn.Module): See :func:`feature_channels`.
        strides (Sequence[int], optional): That the maps are to have, the finest first. Defaults to None: any.
        key (str): What needs the maps, for messages. Defaults to ``'model.dense'``.

    Returns:
        list[int]: Of each map.

    Raises:
        UserError: If one is no map, coarser than the next, or of another stride.
    """
    features = of_empty_image(backbone)
    check_channels(backbone, features[-1])
    kind = type(getattr(backbone, 'timm_model', backbone)).__name__
    if any(feature.dim() != 4 for feature in features):
        without = ', or leave model.dense out' if key == 'model.dense' else ''
        raise UserError(f'the student ({kind}) gives {tuple(features[-1].shape)} and no maps (B, C, H, W), so its '
                        f'positions cannot be compared with names: take another backbone{without}')
    sides = [feature.shape[-1] for feature in features]
    if sides != sorted(sides, reverse=True):
        raise UserError(f'the maps of the student ({kind}) are {sides} wide: set model.backbone.out_indices in '
                        'ascending order, the finest first')
    size = own_size(backbone)
    if strides and not (len(sides) == len(strides) and all(map(partial(_has_stride, size), sides, strides))):
        wanted, given = (', '.join(map(str, each)) for each in (strides, (round(size / side) for side in sides)))
        raise UserError(f'{key}.pyramid takes maps of strides {wanted}, and those of the student ({kind}) have '
                        f'{given}: set model.backbone.out_indices to outputs of strides {wanted}, of a ResNet without '
                        'dilation (0, 1, 2, 3), of MobileNetV2 (1, 2, 4, 7)')
    return [width_of(feature) for feature in features]


def _has_stride(size: int, side: int, stride: int) -> bool:
    """Whether a map of an image may have a stride; at borders a network may round up, or leave some pixels out."""
    return abs(math.log2(size / side / stride)) < 0.25


def own_size(backbone: nn.Module) -> int:
    """Side of images that a backbone takes for sure, by what it says of itself: for some the only one.

    Args:
        backbone (nn.Module): Of mmpretrain, or ``mmpretrain.TIMMBackbone``.

    Returns:
        int: In pixels; 224 if it says nothing.
    """
    network: Any = getattr(backbone, 'timm_model', backbone)
    built_for = getattr(getattr(network, 'patch_embed', None), 'img_size', None) or getattr(network, 'img_size', None)
    if built_for is None and isinstance(getattr(network, 'pretrained_cfg', None), dict):
        built_for = network.pretrained_cfg.get('input_size')
    side = built_for[-1] if isinstance(built_for, (list, tuple)) else built_for
    return side if isinstance(side, int) and side > 0 else 224


@torch.no_grad()
def check_size(backbone: nn.Module, size: int, name: str) -> None:
    """See that a backbone takes images of a size.

    Args:
        backbone (nn.Module): On any device.
        size (int): Side in pixels.
        name (str): Of the backbone, for the sentence.

    Raises:
        UserError: If it does not, but of the size it was made for.
    """
    made_for, parameter = own_size(backbone), next(backbone.parameters(), torch.zeros(0))
    if size == made_for:
        return
    training = backbone.training
    backbone.eval()
    try:
        backbone(torch.zeros(1, 3, size, size, device=parameter.device, dtype=parameter.dtype))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise UserError(f'the student ({name}) takes no images of {size} x {size} pixels: give it those of '
                        f'{made_for} (--image-size {made_for}, or size={made_for} in train_dataloader.dataset.pipeline)'
                        ) from error
    finally:
        backbone.train(training)


def check_channels(backbone: nn.Module, feature: Tensor) -> None:
    """See that a feature has its channels where everything here looks for them. timm has networks that put them last
    in a map, or first in tokens; it says how many there are.

    Args:
        backbone (nn.Module): ``mmpretrain.TIMMBackbone``; what mmpretrain has by itself is right.
        feature (Tensor): Its last output.

    Raises:
        UserError: If the channels are elsewhere.
    """
    network = getattr(backbone, 'timm_model', None)
    if network is None:
        return
    told = getattr(getattr(network, 'feature_info', None), 'channels', None)
    declared = told()[-1] if callable(told) else getattr(network, 'head_hidden_size', None) or getattr(
        network, 'num_features', None)
    last = feature.dim() == 4 and 'NHWC' in str(getattr(network, 'output_fmt', '')) and not hasattr(
        backbone, 'channels_last')
    if last or (declared is not None and width_of(feature) != declared):
        kind = (getattr(network, 'pretrained_cfg', None) or {}).get('architecture') or type(network).__name__
        raise UserError(f'{kind} of timm returns features of shape {tuple(feature.shape)} with {declared} channels, '
                        'and a student needs maps (B, C, H, W), tokens (B, N, C) or vectors (B, C): take '
                        + ('type lgd_mm.TIMMBackbone' if last else 'another backbone'))


def watch_channels(backbone: nn.Module) -> nn.Module:
    """Have :func:`check_channels` look at the first output of a backbone.

    Args:
        backbone (nn.Module): Any.

    Returns:
        nn.Module: The same.
    """
    if not hasattr(backbone, 'timm_model'):
        return backbone

    def look(module: nn.Module, inputs: Any, outputs: Any) -> None:
        handle.remove()
        if isinstance(outputs, (list, tuple)) and outputs and isinstance(outputs[-1], Tensor):
            check_channels(module, outputs[-1])

    handle = backbone.register_forward_hook(look)
    return backbone
