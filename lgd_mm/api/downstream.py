"""Any student as the backbone of a ready downstream config."""

import inspect
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.registry import MODELS
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.students.backbone import build_backbone, describe

STRIDES = (4, 8, 16, 32)
#: Side of the image that a backbone is shown, in pixels.
PROBE = 128
#: Backbones whose form for dense tasks has another name.
DENSE = {'mmpretrain.MobileNetV2': 'lgd_mm.MobileNetV2'}


def use_backbone(cfg: Config, backbone: Mapping[str, Any]) -> None:
    """Put a student's backbone into a config for classification, detection or segmentation.

    Args:
        cfg (Config): Changed in place: ``model.backbone``, and the channels of what follows.
        backbone (Mapping[str, Any]): The student's, from its metadata.

    Raises:
        UserError: If the task needs maps that the backbone does not have.
    """
    if cfg.default_scope == 'mmpretrain':
        cfg.model.backbone = ConfigDict(backbone)
        if cfg.model.type == 'ImageClassifier':
            feature = _outputs(cfg)[-1]
            if feature.dim() != 4:
                raise UserError(f'fine-tuning pools maps, and the student ({describe(backbone)}) has none: take '
                                'task=linear-probe')
            cfg.model.head.in_channels = feature.shape[1]
        return
    channels = _use_maps(cfg, backbone)
    if cfg.default_scope == 'mmdet':
        cfg.model.neck.in_channels = channels
    else:
        cfg.model.decode_head.in_channels = channels
        cfg.model.auxiliary_head.in_channels = channels[2]


def _use_maps(cfg: Config, backbone: Mapping[str, Any]) -> list[int]:
    """Let the backbone return its last map of each stride, all of it trained; returns their channels."""
    if 'model_name' in backbone:  # timm's plain networks return their last map alone
        raise UserError(_no_maps(backbone))
    kind = DENSE.get(backbone['type'], backbone['type'])
    norm = _norm(kind, backbone)
    cfg.model.backbone = ConfigDict({**backbone, 'type': kind, 'norm_eval': False, 'norm_cfg': norm})
    # Unless told, no type freezes stages, which each says in its own way. With out_indices, lgd_mm.MobileNetV2 would
    # build no layer behind the last of them.
    for default in ('frozen_stages', 'out_indices'):
        cfg.model.backbone.pop(default, None)
    layers = _layers(build_backbone(cfg))
    cfg.model.backbone.out_indices = tuple(range(layers))
    maps = _outputs(cfg)
    last = {PROBE // feature.shape[-1]: index for index, feature in enumerate(maps)}
    if not set(STRIDES) <= set(last):
        raise UserError(_no_maps(backbone))
    cfg.model.backbone.out_indices = tuple(last[stride] for stride in STRIDES)
    return [maps[last[stride]].shape[1] for stride in STRIDES]


def _no_maps(backbone: Mapping[str, Any]) -> str:
    return (f'the student ({describe(backbone)}) has no maps of strides {STRIDES}, which detection and segmentation '
            'need: take task=classification or linear-probe, or another student')


def _layers(network: nn.Module) -> int:
    """How many stages or layers the backbone can return."""
    layers: Any = getattr(network, 'res_layers', None) or network.layers
    return len(layers)


def _norm(kind: str, backbone: Mapping[str, Any]) -> dict[str, Any]:
    """The backbone's own normalisation over the images of all GPUs: a detector has few on each."""
    default = inspect.signature(MODELS.get(kind)).parameters.get('norm_cfg')
    own = backbone.get('norm_cfg') or (default.default if default is not None else {})
    return {**own, 'type': 'SyncBN'}


@torch.no_grad()
def _outputs(cfg: Config) -> tuple[Tensor, ...]:
    """What the config's backbone returns for an empty image."""
    network = build_backbone(cfg)
    network.eval()  # mmpretrain's return nothing
    return tuple(network(torch.zeros(1, 3, PROBE, PROBE)))
