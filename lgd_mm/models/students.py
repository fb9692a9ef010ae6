"""Students without a teacher: all they need is in the file that fills them, as ``mmpretrain.get_model`` does it."""

from collections.abc import Mapping
from typing import Any

import torch
from mmpretrain.models import ImageClassifier
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.io.key_report import KeyReport, named
from lgd_mm.language import Vocabulary
from lgd_mm.models.common import IMAGENET_PREPROCESSOR
from lgd_mm.models.features import watch_channels
from lgd_mm.models.necks.projection import projection_of
from lgd_mm.models.zero_shot import NO_PROJECTION, ZeroShot
from lgd_mm.registry import MODELS

BACKBONE, NECK, BANK = 'backbone.', 'neck.', 'lgka.'


@MODELS.register_module()
class HeadlessStudent(ImageClassifier):
    """A pre-trained backbone and the average over positions of its last output.

    It is filled from an exported student or any checkpoint with ``backbone.*``, and refuses a file that leaves a part
    of it at random values, for which mmengine only warns.

    Args:
        backbone (dict): Any mmpretrain backbone, or ``mmpretrain.TIMMBackbone``.
        data_preprocessor (dict, optional): As in :class:`mmpretrain.models.ImageClassifier`. Defaults to None.

    Raises:
        UserError: When weights are loaded that do not fill the backbone.
    """

    def __init__(self, backbone: dict[str, Any], data_preprocessor: dict[str, Any] | None = None) -> None:
        super().__init__(
            backbone, neck=dict(type='mmpretrain.GlobalAveragePooling'), data_preprocessor=data_preprocessor)
        watch_channels(self.backbone)
        self.register_load_state_dict_pre_hook(_keep_backbone)


@MODELS.register_module()
class ZeroShotStudent(ZeroShot):
    """A pre-trained student with the names of its own pre-training.

    Projection, textual bank and names are taken from the checkpoint of an LGD pre-training, whatever their sizes, so
    that neither the teacher nor the names are needed again. For other names, and for students of methods without
    names, there is :class:`lgd_mm.models.ZeroShotClassifier`.

    Args:
        backbone (dict): The student's.
        neck (dict): The student's projection; its widths are the checkpoint's.
        data_preprocessor (dict, optional): Its ``mean`` and ``std`` are the student's. Defaults to ImageNet's.

    Raises:
        UserError: When weights are loaded that do not fill it; when it is used before.
    """

    vocabulary: Tensor

    def __init__(self,
                 backbone: dict[str, Any],
                 neck: dict[str, Any],
                 data_preprocessor: dict[str, Any] | None = None) -> None:
        super().__init__({**IMAGENET_PREPROCESSOR, **(data_preprocessor or {})})
        self.backbone = watch_channels(MODELS.build(backbone))
        self.neck_config = neck
        self.names = ()
        self.register_buffer('textual_bank', torch.empty(0, 0))
        self.register_buffer('vocabulary', torch.empty(0, dtype=torch.uint8))
        self.register_load_state_dict_pre_hook(_take_head)

    def forward(self, inputs: Tensor, data_samples: list[DataSample] | None = None, mode: str = 'tensor') -> Any:
        """mmengine's entry: ``mode`` is ``'predict'`` or ``'tensor'`` (the embeddings)."""
        if not self.names:
            raise UserError('lgd_mm.ZeroShotStudent has no names before it is filled: give get_model(..., '
                            'pretrained=FILE) a checkpoint of an LGD pre-training')
        return super().forward(inputs, data_samples, mode)


def _keep_backbone(module: HeadlessStudent, state_dict: dict[str, Tensor], *args: Any) -> None:
    """Refuse weights that do not fill the backbone; of the others only its own are wanted."""
    _check_backbone(module.backbone, state_dict)
    for key in [key for key in state_dict if not key.startswith(BACKBONE)]:
        del state_dict[key]


def _take_head(module: ZeroShotStudent, state_dict: dict[str, Tensor], *args: Any) -> None:
    """Make room for the checkpoint's projection and names, and keep what belongs to them."""
    _check_backbone(module.backbone, state_dict)
    projection = {key: value for key, value in state_dict.items() if key.startswith(NECK)}
    if not any(value.dim() == 2 for value in projection.values()):
        raise UserError(f'the checkpoint {NO_PROJECTION}')
    for key in ('textual_bank', 'vocabulary'):  # as LGKA keeps them, or a student of this class
        if BANK + key in state_dict:
            state_dict[key] = state_dict[BANK + key]
        if key not in state_dict:
            raise UserError(f'the checkpoint holds no {BANK}{key}, the names of an LGD pre-training: take a config '
                            'with names and a teacher, such as configs/classification/zero-shot_r18_imagenet.py')
        setattr(module, key, torch.empty_like(state_dict[key], device=getattr(module, key).device))
    module.names = Vocabulary.from_tensor(state_dict['vocabulary']).categories
    module.neck = projection_of(module.neck_config, projection).to(module.textual_bank.device)
    for key in [key for key in state_dict if not key.startswith((BACKBONE, NECK, 'textual_bank', 'vocabulary'))]:
        del state_dict[key]


def _check_backbone(backbone: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Refuse weights that leave a part of a backbone at random values."""
    theirs = {key.removeprefix(BACKBONE): value for key, value in weights.items() if key.startswith(BACKBONE)}
    if not theirs:
        raise UserError(f'the weights ({", ".join(list(weights)[:3]) or "none"}, ...) hold no {BACKBONE}*: give an '
                        'exported student or a checkpoint of lgd_mm or mmpretrain')
    report = KeyReport.compare(backbone.state_dict(), theirs)
    if not report.complete:
        raise UserError(f'the weights fill only {len(report.matched)} of the {report.total} keys of the '
                        f'{type(backbone).__name__} (not {named(report.lacking)}): take the model of '
                        "the student's own backbone")
