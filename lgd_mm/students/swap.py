"""Any backbone in a config for classification, detection or segmentation."""

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS, DefaultScope

from lgd_mm.errors import UserError
from lgd_mm.models.features import of_empty_image, width_of
from lgd_mm.models.necks.simple_pyramid import STRIDES, SimpleFeaturePyramid
from lgd_mm.students.backbone import build_backbone, describe
from lgd_mm.students.maps import PROBE, for_dense_guidance, maps_of, no_maps

#: Backbones whose form for dense tasks has another name.
DENSE = {'mmpretrain.MobileNetV2': 'lgd_mm.MobileNetV2', 'mmpretrain.TIMMBackbone': 'lgd_mm.TIMMBackbone'}


def use_backbone(cfg: Config, backbone: Mapping[str, Any]) -> None:
    """Put a backbone into a config, in the place of its own.

    Args:
        cfg (Config): Changed in place: ``model.backbone``, the channels of what follows, and a simple pyramid behind a
            plain transformer.
        backbone (Mapping[str, Any]): The config of any of mmpretrain's or timm's, such as a student's metadata has.

    Raises:
        UserError: If the task needs maps that the backbone does not have, or images of sizes that it does not take.
    """
    if not isinstance(cfg.get('model'), dict) or 'backbone' not in cfg.model:
        raise UserError(f'--backbone takes the place of model.backbone, which {cfg.filename} does not have')
    if cfg.get('default_scope') == 'mmpretrain' or str(cfg.model.type).startswith('lgd_mm.'):
        _pool(cfg, backbone)
        return
    wanted = _strides(cfg)
    maps = maps_of(_trained(backbone), wanted[-1])
    if maps.divisor is None:
        raise UserError(f'the student ({describe(backbone)}) takes no images but of {maps.size} x {maps.size} pixels, '
                        'and those of detection and segmentation are of many sizes: take task=classification or '
                        'linear-probe, or another student (lgd-mm list students --head fpn)')
    chosen = maps.chosen(wanted)
    if chosen is not None:
        channels = chosen.channels
    elif maps.plain and wanted == STRIDES[-len(wanted):]:
        pyramid = dict(in_channels=maps.channels[-1], stride=maps.strides[-1], levels=len(wanted))
        channels = SimpleFeaturePyramid(**pyramid).channels
        chosen = maps.last()
    else:
        raise UserError(no_maps(backbone, wanted, sorted(set(maps.strides))))
    _widen(cfg, channels)
    if len(chosen.strides) < len(wanted):
        _put_before(cfg, dict(type='lgd_mm.SimpleFeaturePyramid', **pyramid))
    cfg.model.backbone = ConfigDict(chosen.backbone)
    if maps.divisor > 1:
        _pad(cfg, maps.divisor)


def _pool(cfg: Config, backbone: Mapping[str, Any]) -> None:
    """For classification, and for models of this package: they find widths by themselves, but for upstream's head."""
    maps = cfg.model.get('dense') and 'out_indices' not in backbone
    cfg.model.backbone = ConfigDict(for_dense_guidance(backbone) if maps else backbone)
    if cfg.model.type != 'ImageClassifier':
        return
    feature = of_empty_image(build_backbone(cfg))[-1]
    cfg.model.head.in_channels = width_of(feature)
    if feature.dim() != 4:
        cfg.model.neck = ConfigDict(type='lgd_mm.MeanPooling')


def _trained(backbone: Mapping[str, Any]) -> dict[str, Any]:
    """A backbone in its form for dense tasks, all of it trained."""
    kind = DENSE.get(str(backbone['type']), str(backbone['type']))
    config = {**backbone, 'type': kind}
    # Unless told, no type freezes stages, which each says in its own way. With out_indices, lgd_mm.MobileNetV2 would
    # build no layer behind the last of them.
    for default in ('frozen_stages', 'out_indices'):
        config.pop(default, None)
    parameters = inspect.signature(MODELS.get(kind)).parameters
    passed_on = any(each.kind is each.VAR_KEYWORD for each in parameters.values()) and 'model_name' not in parameters
    if 'norm_eval' in parameters or passed_on:
        config['norm_eval'] = False
    if 'norm_cfg' in parameters or passed_on:  # over the images of all GPUs: a detector has few on each
        default = parameters['norm_cfg'].default if 'norm_cfg' in parameters else None
        own = config.get('norm_cfg') or default or {}
        if own.get('type', 'BN') == 'BN':
            config['norm_cfg'] = {**own, 'type': 'SyncBN'}
    return config


@torch.no_grad()
def _strides(cfg: Config) -> tuple[int, ...]:
    """Strides of the maps that a config's own backbone gives."""
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        network = build_backbone(cfg).to('meta')
    network.eval()  # mmpretrain's return nothing
    return tuple(PROBE // each.shape[-1] for each in network(torch.zeros(1, 3, PROBE, PROBE, device='meta')))


def _pad(cfg: Config, divisor: int) -> None:
    """Let images be padded to sides that a divisor divides, below and on the right."""
    preprocessor = cfg.model.data_preprocessor
    if cfg.default_scope == 'mmdet':
        preprocessor.pad_size_divisor = math.lcm(preprocessor.get('pad_size_divisor', 1), divisor)
        return
    preprocessor.test_cfg = dict(size_divisor=divisor)
    preprocessor.size = tuple(-(-side // divisor) * divisor for side in preprocessor.size)


def _widen(cfg: Config, channels: Sequence[int]) -> None:
    """Let what stands behind the backbone take its channels."""
    if cfg.model.get('neck'):
        cfg.model.neck.in_channels = list(channels)
        return
    auxiliary = cfg.model.get('auxiliary_head') or []
    for head in (cfg.model.decode_head, *(auxiliary if isinstance(auxiliary, list) else [auxiliary])):
        index = head.get('in_index', -1)
        head.in_channels = channels[index] if isinstance(index, int) else [channels[each] for each in index]


def _put_before(cfg: Config, pyramid: dict[str, Any]) -> None:
    """Let a neck stand behind the backbone, before the one that may be there."""
    neck = cfg.model.get('neck')
    cfg.model.neck = [pyramid, neck] if neck else pyramid
