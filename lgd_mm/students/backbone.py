"""The backbone of any config, built alone."""

import difflib
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope
from torch import Tensor, nn

from lgd_mm.console.words import first_line
from lgd_mm.errors import UserError
from lgd_mm.models.backbones.timm import TIMMBackbone
from lgd_mm.models.backbones.timm_keys import in_form_of
from lgd_mm.models.features import watch_channels

#: Keys that set a backbone's size.
SIZES = ('depth', 'arch', 'model_name', 'base_channels', 'widen_factor')


def build_backbone(cfg: Config) -> nn.Module:
    """Build a config's backbone with random weights.

    Args:
        cfg (Config): With ``model.backbone``.

    Returns:
        nn.Module: The backbone.

    Raises:
        UserError: If its type has no such size or variant.
        KeyError: If its type is in no registry.
    """
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    backbone = cfg.model.backbone
    try:
        return watch_channels(MODELS.build({**backbone, 'init_cfg': None}))
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        reason = first_line(error)
        if 'is not in the' in reason:
            raise
        raise UserError(f'model.backbone ({describe(backbone)}) cannot be built ({reason}): {_cure(backbone, error)}'
                        ) from error


def renamed_for(backbone: nn.Module, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights under the keys that a backbone will look for: networks of timm take those of their other forms.

    Args:
        backbone (nn.Module): That is to be filled.
        weights (Mapping[str, Tensor]): Of a student.

    Returns:
        dict[str, Tensor]: The same weights.
    """
    return in_form_of(backbone.state_dict(), weights) if isinstance(backbone, TIMMBackbone) else dict(weights)


def describe(backbone: Any) -> str:
    """``mmpretrain.ResNet, depth 18``: the type and what sets its size."""
    if not backbone or not isinstance(backbone, Mapping):
        return 'its backbone is not recorded'
    return ', '.join([str(backbone.get('type')), *(f'{key} {backbone[key]}' for key in SIZES if key in backbone)])


def _cure(backbone: Mapping[str, Any], error: Exception) -> str:
    if isinstance(error, TypeError):
        return 'give model.backbone what its type takes'
    if 'model_name' in backbone:
        import timm  # takes a second, and only a misspelt name needs it
        nearest = difflib.get_close_matches(str(backbone['model_name']), timm.list_models(), cutoff=0.5)
        return f'set model.backbone.model_name to a name of timm{", such as " if nearest else ""}{", ".join(nearest)}'
    keys = [f'model.backbone.{key}' for key in SIZES if key in backbone]
    return f'set {" or ".join(keys) or "the keys of model.backbone"} to a variant that exists'
