"""Training on top of a backbone that stays as it is: ``frozen_backbone=True`` in any config with ``model.backbone``."""

from typing import Any

import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapperDict
from torch import nn

from lgd_mm.errors import UserError
from lgd_mm.models.distiller import Distiller
from lgd_mm.models.frozen import freeze
from lgd_mm.models.many_students import ManyStudents

#: The config's key.
KEY = 'frozen_backbone'


def asks_for_it(cfg: Config) -> bool:
    """Whether a config says that its backbone stays as it is.

    Args:
        cfg (Config): The whole config.

    Raises:
        UserError: If it says neither yes nor no.
    """
    asked = cfg.get(KEY)
    if asked not in (None, False, True) or isinstance(asked, (int, float)) and not isinstance(asked, bool):
        raise UserError(f'{KEY}={asked!r}: give True, which leaves model.backbone as it is, or False')
    return bool(asked)


def freeze_backbone(model: nn.Module) -> None:
    """Freeze the backbone of a model, before it is spread over processes and before there is an optimiser.

    Args:
        model (nn.Module): As built from its config; see :func:`lgd_mm.models.frozen.freeze`.

    Raises:
        UserError: If it has none, or is a pre-training, which makes one.
    """
    backbone = getattr(model, 'backbone', None)
    kind = type(model).__name__
    if isinstance(model, (Distiller, ManyStudents)):
        raise UserError(f'{KEY}=True leaves the backbone as it is, and {kind} is there to train it: leave it out')
    if not isinstance(backbone, nn.Module):
        raise UserError(f'{KEY}=True needs model.backbone, which {kind} does not have: leave it out')
    freeze(backbone)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UserError(f'{KEY}=True leaves nothing of {kind} to train: leave it out')


def leave_out_frozen(optim_wrapper: Any) -> None:
    """Take parameters without a gradient out of an optimiser: it has neither state nor weight decay for them.

    Args:
        optim_wrapper (OptimWrapper | OptimWrapperDict): Before its first step.
    """
    for each in optim_wrapper.values() if isinstance(optim_wrapper, OptimWrapperDict) else [optim_wrapper]:
        if isinstance(each.optimizer, torch.optim.Optimizer):
            for group in each.optimizer.param_groups:
                group['params'] = [parameter for parameter in group['params'] if parameter.requires_grad]
