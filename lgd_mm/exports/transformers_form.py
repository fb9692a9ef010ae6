"""A student as one of the backbones of transformers' own: its configuration and its keys. Needs no transformers."""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lgd_mm.exports.architectures import kind_of

#: Networks of timm whose layers transformers has, too.
RESNETS, HGNETS = re.compile(r'resnet(18|26|34|50|101|152)d?(\..*)?'), re.compile(r'hgnetv2_b\d(\..*)?')
#: What transformers' norms add to the variance.
EPS = 1e-5
BEHIND = 'What the student has behind its last map is left out: detectors take maps.'


class Form(NamedTuple):
    """A backbone of transformers.

    Attributes:
        model_type (str): As ``config.json`` calls it.
        settings (dict[str, Any]): What its configuration says beside that.
        weights (dict[str, Tensor]): Under its keys.
        channels (tuple[int, ...]): Of its maps of strides 8, 16 and 32.
        notes (tuple[str, ...]): What else is to be known, one sentence each. Defaults to ().
    """

    model_type: str
    settings: dict[str, Any]
    weights: dict[str, Tensor]
    channels: tuple[int, ...]
    notes: tuple[str, ...] = ()


def own_form(backbone: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Form | None:
    """The form of a student that transformers itself has layers for.

    Plain ResNets of any width are its ``resnet``; those with three convolutions in the stem and pooling in the
    shortcuts (ResNet-vd) are RT-DETR's ``rt_detr_resnet``; HGNetV2 is D-FINE's ``hgnet_v2``.

    Args:
        backbone (Mapping[str, Any]): The student's config.
        weights (Mapping[str, Tensor]): Of its backbone.

    Returns:
        Form | None: None for other networks.
    """
    # Where timm takes maps between its stages, it calls them with an underscore.
    weights = {re.sub(r'^stages_(\d)', r'stages.\1', key.removeprefix('timm_model.')): value
               for key, value in weights.items()}
    name = str(backbone.get('model_name', ''))
    if HGNETS.fullmatch(name):
        return _hgnet(weights)
    if (kind_of(backbone) in ('ResNet', 'ResNetV1d') or RESNETS.fullmatch(name)) and 'layer4.0.conv1.weight' in weights:
        return _resnet(weights)
    return None


def _resnet(weights: Mapping[str, Tensor]) -> Form | None:
    """A ResNet by the keys of mmpretrain's or timm's."""
    deep = 'conv1.weight' not in weights
    pooled = any(key.endswith('downsample.1.weight') and value.dim() == 4 for key, value in weights.items())
    bottleneck = 'layer1.0.conv3.weight' in weights
    if deep != pooled:  # ResNetV1c and the like
        return None
    found: dict[str, Tensor] = {}
    for key, value in weights.items():
        place, _, kind = key.rpartition('.')
        if not (new := _resnet_place(place, weights[f'{place}.weight'].dim() == 4, deep, bottleneck)):
            return None
        found[f'{new}.{kind}'] = value
    depths = [len({key.split('.')[1] for key in weights if key.startswith(f'layer{stage}.')}) for stage in range(1, 5)]
    last = 'conv3' if bottleneck else 'conv2'
    sizes = [weights[f'layer{stage}.0.{last}.weight'].shape[0] for stage in range(1, 5)]
    stem = next(value for key, value in reversed(found.items())
                if key.startswith('embedder.') and key.endswith('convolution.weight'))
    notes: tuple[str, ...] = ()
    if deep and not bottleneck:
        found.update(_identity('encoder.stages.0.layers.0.shortcut', sizes[0]))
        notes = ("transformers' network has a convolution in its first shortcut where the student has none: it begins "
                 'as the identity.', )
    settings = dict(embedding_size=stem.shape[0], hidden_sizes=sizes, depths=depths,
                    layer_type='bottleneck' if bottleneck else 'basic', out_indices=[2, 3, 4])
    return Form('rt_detr_resnet' if deep else 'resnet', settings, found, tuple(sizes[1:]), notes)


def _resnet_place(place: str, convolution: bool, deep: bool, bottleneck: bool) -> str | None:
    """Where transformers has a layer; None if it has none there."""
    kind = 'convolution' if convolution else 'normalization'
    if stem := re.fullmatch(r'stem\.(\d)\.(?:conv|bn)', place):
        return f'embedder.embedder.{stem[1]}.{kind}'
    if stem := re.fullmatch(r'conv1\.(\d)', place):  # timm's: convolution, norm and activation, three times
        return f'embedder.embedder.{int(stem[1]) // 3}.{kind}'
    if place in ('conv1', 'bn1'):
        return f'embedder.embedder.{"2." if deep else ""}{kind}'
    if block := re.fullmatch(r'layer(\d)\.(\d+)\.(?:conv|bn)(\d)', place):
        return f'encoder.stages.{int(block[1]) - 1}.layers.{block[2]}.layer.{int(block[3]) - 1}.{kind}'
    if shortcut := re.fullmatch(r'layer(\d)\.(\d+)\.downsample\.\d', place):
        behind_pooling = '1.' if deep and not (bottleneck and shortcut[1] == '1') else ''
        return f'encoder.stages.{int(shortcut[1]) - 1}.layers.{shortcut[2]}.shortcut.{behind_pooling}{kind}'
    return None


def _identity(place: str, channels: int) -> dict[str, Tensor]:
    """A convolution and a norm that change nothing."""
    zeros, ones = torch.zeros(channels), torch.ones(channels)
    norm = dict(weight=ones * math.sqrt(1 + EPS), bias=zeros, running_mean=zeros.clone(), running_var=ones.clone(),
                num_batches_tracked=torch.tensor(0))
    return {f'{place}.convolution.weight': torch.eye(channels)[:, :, None, None].contiguous(),
            **{f'{place}.normalization.{key}': value for key, value in norm.items()}}


def _hgnet(weights: Mapping[str, Tensor]) -> Form:
    """An HGNetV2 by timm's keys, without the layers behind the pooling."""
    names = (('stem.', 'embedder.'), ('stages.', 'encoder.stages.'))
    found = {}
    for key, value in weights.items():
        for own, theirs in names:
            if key.startswith(own):
                new = theirs + key.removeprefix(own).replace('conv.', 'convolution.').replace('bn.', 'normalization.')
                found[new] = value
    stages = [f'stages.{stage}' for stage in range(4)]
    stem, light, kernels, middle, out = weights['stem.stem4.conv.weight'].shape[0], [], [], [], []
    for stage in stages:
        light.append(f'{stage}.blocks.0.layers.0.conv2.conv.weight' in weights)
        first = weights[f'{stage}.blocks.0.layers.0.{"conv2." if light[-1] else ""}conv.weight']
        kernels.append(first.shape[-1])
        middle.append(first.shape[0])
        out.append(weights[f'{stage}.blocks.0.aggregation.1.conv.weight'].shape[0])
    settings = dict(
        embedding_size=stem,
        hidden_sizes=out,
        stem_channels=[3, weights['stem.stem1.conv.weight'].shape[0], stem],
        stage_in_channels=[stem, *out[:-1]],
        stage_mid_channels=middle,
        stage_out_channels=out,
        stage_num_blocks=[_count(weights, f'{stage}.blocks') for stage in stages],
        stage_downsample=[f'{stage}.downsample.conv.weight' in weights for stage in stages],
        stage_light_block=light,
        stage_kernel_size=kernels,
        stage_numb_of_layers=[_count(weights, f'{stage}.blocks.0.layers') for stage in stages],
        use_learnable_affine_block='stem.stem1.lab.scale' in weights,
        out_indices=[2, 3, 4])
    return Form('hgnet_v2', settings, found, tuple(out[1:]), (BEHIND, ))


def _count(weights: Mapping[str, Tensor], place: str) -> int:
    """How many parts a list of modules has."""
    return len({key.removeprefix(f'{place}.').split('.')[0] for key in weights if key.startswith(f'{place}.')})
