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
from lgd_mm.students.maps import PROBE, for_dense_guidance, idle_parameters, maps_of, no_maps

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
        raise UserError(f'--backbone takes the place of model.backbone, which {cfg.filename} does not have: give a '
                        'config of one student')
    if cfg.get('default_scope') == 'mmpretrain' or str(cfg.model.type).startswith('lgd_mm.'):
        _pool(cfg, backbone)
        return
    wanted = _wanted(cfg)
    maps = maps_of(_trained(backbone), wanted[-1])
    if maps.divisor is None:
        raise UserError(f'the student ({describe(backbone)}) takes no images but of {maps.size} x {maps.size} pixels, '
                        'and those of detection and segmentation are of many sizes: take it for classification, or '
                        'another student (lgd-mm list students --head fpn)')
    chosen, divisor = maps.chosen(wanted), maps.divisor
    pyramid: dict[str, Any] | None = None
    if chosen is None and maps.plain and wanted == STRIDES[-len(wanted):]:
        chosen, divisor = maps.last(), math.lcm(divisor, STRIDES[-1])
        pyramid = dict(in_channels=maps.channels[-1], stride=maps.strides[-1], levels=len(wanted))
    if chosen is None:
        raise UserError(no_maps(backbone, wanted, sorted(set(maps.strides))))
    _widen(cfg, chosen.channels if pyramid is None else SimpleFeaturePyramid(**pyramid).channels)
    if pyramid is not None:
        _put_before(cfg, dict(type='lgd_mm.SimpleFeaturePyramid', **pyramid))
    cfg.model.backbone = ConfigDict(chosen.backbone)
    if divisor > 1:
        _pad(cfg, divisor)
    if idle_parameters(chosen.backbone):  # DistributedDataParallel would wait for their gradients
        cfg.find_unused_parameters = True


def _pool(cfg: Config, backbone: Mapping[str, Any]) -> None:
    """For classification, and for models of this package: they find widths by themselves, but for upstream's parts."""
    maps = cfg.model.get('dense') and 'out_indices' not in backbone
    own, cfg.model.backbone = cfg.model.backbone, ConfigDict(for_dense_guidance(backbone) if maps else backbone)
    teacher, head, neck = (cfg.model.get(part) or ConfigDict() for part in ('teacher', 'head', 'neck'))
    if teacher.get('backbone') == own:  # one of the student's kind
        teacher.backbone = ConfigDict(backbone)
    told = next((part for part in (neck, head) if 'in_channels' in part), None)
    if told is None:
        return
    feature = of_empty_image(build_backbone(cfg))[-1]
    told.in_channels = width_of(feature)
    if feature.dim() != 4 and neck.get('type', '').endswith('GlobalAveragePooling'):
        cfg.model.neck = ConfigDict(type='lgd_mm.MeanPooling')


def _trained(backbone: Mapping[str, Any]) -> dict[str, Any]:
    """A backbone in its form for dense tasks, all of it trained."""
    kind = DENSE.get(str(backbone['type']), str(backbone['type']))
    config = {**backbone, 'type': kind}
    # Unless told, no type freezes stages, which each says in its own way. With out_indices, lgd_mm.MobileNetV2 would
    # build no layer behind the last of them.
    for default in ('frozen_stages', 'out_indices'):
        config.pop(default, None)
    if (norm_eval := _parameter(kind, 'norm_eval')) is not None:
        config[norm_eval.name] = False
    if (norm := _parameter(kind, 'norm_cfg')) is not None:  # over the images of all GPUs: a detector has few on each
        own = config.get('norm_cfg') or norm.default or {}
        if own.get('type', 'BN') == 'BN':
            config['norm_cfg'] = {**own, 'type': 'SyncBN'}
    return config


def _parameter(kind: str, name: str) -> inspect.Parameter | None:
    """A parameter of a class, or of the one that it passes others on to."""
    for owner in inspect.getmro(MODELS.get(kind)):
        build = owner.__dict__.get('__init__')
        parameters = inspect.signature(build).parameters if build else {}
        if name in parameters:
            return parameters[name]
    return None


@torch.no_grad()
def _wanted(cfg: Config) -> tuple[int, ...]:
    """Strides of the maps that a config's own backbone gives; those that its FPN passes over are taken out of it."""
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        network = build_backbone(cfg).to('meta')
    network.eval()  # mmpretrain's return nothing
    strides = tuple(PROBE // each.shape[-1] for each in network(torch.zeros(1, 3, PROBE, PROBE, device='meta')))
    neck = cfg.model.get('neck')
    passed_over = neck.get('start_level', 0) if isinstance(neck, dict) else 0
    if passed_over:
        neck.start_level = 0
    return strides[passed_over:]


def _pad(cfg: Config, divisor: int) -> None:
    """Let images be padded to sides that a divisor divides, below and on the right."""
    preprocessor = cfg.model.data_preprocessor
    if cfg.default_scope == 'mmdet':
        preprocessor.pad_size_divisor = math.lcm(preprocessor.get('pad_size_divisor', 1), divisor)
        return
    preprocessor.test_cfg = {**(preprocessor.get('test_cfg') or {}), 'size_divisor': divisor}
    preprocessor.size = tuple(-(-side // divisor) * divisor for side in preprocessor.size)


def _widen(cfg: Config, channels: Sequence[int]) -> None:
    """Let what stands behind the backbone take its channels."""
    neck = cfg.model.get('neck')
    first = neck[0] if isinstance(neck, list) else neck
    if first:
        first.in_channels = list(channels)
        return
    heads = [head for name in ('decode_head', 'auxiliary_head') for head in _listed(cfg.model.get(name))]
    if not heads:
        raise UserError(f'{cfg.filename} has neither model.neck nor model.decode_head, so it is not known what takes '
                        'the maps of another backbone: change model.backbone in the config itself')
    for head in heads:
        index = head.get('in_index', -1)
        head.in_channels = channels[index] if isinstance(index, int) else [channels[each] for each in index]
        if 'c1_in_channels' in head:  # DeepLabV3+
            head.c1_in_channels = channels[0]


def _listed(part: Any) -> list[Any]:
    return list(part) if isinstance(part, (list, tuple)) else [part] if part else []


def _put_before(cfg: Config, pyramid: dict[str, Any]) -> None:
    """Let a neck stand behind the backbone, before the one that may be there."""
    neck = _listed(cfg.model.get('neck'))
    cfg.model.neck = [pyramid, *neck] if neck else pyramid
