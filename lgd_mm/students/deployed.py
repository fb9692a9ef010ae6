"""The student that is exported, and the form in which it needs nobody's preprocessing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.model import revert_sync_batchnorm
from mmengine.registry import DefaultScope
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.language import category_names
from lgd_mm.models.features import mean_pool
from lgd_mm.models.zero_shot import NO_PROJECTION, bank_of_names
from lgd_mm.registry import MODELS
from lgd_mm.safety.allow_list import checked
from lgd_mm.students.backbone import describe
from lgd_mm.students.frozen import FrozenStudent, read_student_file


class Deployed(nn.Module):
    """Images in, features out: normalisation, backbone, pooling and, where there is one, the projection.

    Args:
        student (FrozenStudent): Backbone and projection in eval mode.
        mean (list[float]): Of its input, RGB in 0-255.
        std (list[float]): The same.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, student: FrozenStudent, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.backbone: nn.Module = student.backbone
        self.neck: nn.Module | None = student.neck
        self.register_buffer('mean', torch.tensor([value / 255 for value in mean]).view(3, 1, 1))
        self.register_buffer('std', torch.tensor([value / 255 for value in std]).view(3, 1, 1))

    def normalise(self, images: Tensor) -> Tensor:
        """What the backbone takes, of RGB (B, 3, H, W) in [0, 1]."""
        return (images - self.mean) / self.std

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """``features``, the last map (B, d, h, w), or tokens (B, N, d); ``pooled`` (B, d); and with a projection
        ``embedding`` (B, D) of unit length, of RGB (B, 3, H, W) in [0, 1]."""
        features = self.backbone(self.normalise(images))
        outputs = dict(features=features[-1], pooled=mean_pool(features[-1]))
        if self.neck is not None:
            outputs['embedding'] = F.normalize(self.neck(features), dim=1)
        return outputs


class ExportedStudent:
    """A student's file, read and built.

    Args:
        path (str | Path): An exported student, or a checkpoint of a pre-training, which also has the projection.

    Attributes:
        path (str): The file.
        backbone (dict[str, Any]): Config of the backbone.
        metadata (dict[str, Any]): As of :func:`lgd_mm.students.file.student_metadata`.
        deployed (Deployed): The network.
        weights (dict[str, Tensor]): Of the backbone, in the order of its layers.
        image_size (int): Side of the views it was trained with, in pixels; 224 where the file does not say.
        names (tuple[str, ...]): Of the pre-training, where the file has them.
        left_out (str, optional): What a fine-tuned network has beside its backbone, as a sentence.

    Raises:
        UserError: If the file cannot be used or does not say what its backbone, mean and std are.
    """

    def __init__(self, path: str | Path) -> None:
        file = read_student_file(path)
        self.path, self.metadata = str(path), file.metadata
        for key in ('backbone', 'mean', 'std'):
            if not file.metadata.get(key):
                raise UserError(f'{path} does not say what its {key} is: give the student.safetensors or a checkpoint '
                                'of a pre-training')
        scoped = _scoped(file.metadata['backbone'], file.config)
        self.backbone: dict[str, Any] = checked(scoped, 'backbone', path, 'backbone')
        self.metadata['backbone'] = self.backbone
        statistics = file.statistics
        cfg = Config(dict(model=dict(backbone=self.backbone, data_preprocessor=statistics)))
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            frozen = revert_sync_batchnorm(FrozenStudent(cfg, file))
        self.deployed = Deployed(frozen, **statistics).eval().requires_grad_(False)
        self.weights: dict[str, Tensor] = self.deployed.backbone.state_dict()
        self.image_size: int = file.image_size
        self.names, self.left_out = file.names, file.left_out
        self._file = file

    def __str__(self) -> str:
        return describe(self.backbone)

    @property
    def kind(self) -> str:
        """Type of the backbone without its scope."""
        return str(self.backbone['type']).rsplit('.', 1)[-1]

    @torch.no_grad()
    def outputs(self, images: Tensor) -> dict[str, Tensor]:
        """The student's own, of RGB (B, 3, H, W) in [0, 1]; as of :class:`Deployed`."""
        return {name: value.clone() for name, value in self.deployed(images).items()}

    def language(self, categories: str | list[str] | None = None) -> tuple[tuple[str, ...], Tensor | None]:
        """Names for zero-shot classification.

        Args:
            categories (str | list[str], optional): As of :func:`lgd_mm.language.category_names`; they need the
                teacher's text tower. Defaults to None: those of the pre-training.

        Returns:
            tuple[tuple[str, ...], Tensor | None]: C names and their embeddings (C, D) of unit length; nothing without
            a projection, or of a pre-training without names.

        Raises:
            UserError: If there is no projection for ``categories``, or they or the teacher cannot be used.
        """
        if categories is None:
            if self._file.neck and self._file.bank is not None:
                return self.names, self._file.bank.float()
            return (), None
        if not self._file.neck:
            raise UserError(f'categories: {self.path} {NO_PROJECTION}')
        teacher = self._file.teacher_config
        if not hasattr(MODELS.get(teacher['type']), 'encode_text'):
            raise UserError(f'categories: the teacher of {self.path} ({teacher["type"]}) has no text tower: leave the '
                            'names out')
        return tuple(category_names(categories)), bank_of_names(MODELS.build(teacher), categories)


def _scoped(backbone: Any, config: Mapping[str, Any]) -> Any:
    """A backbone's config with the library in its type, and without weights to begin from."""
    if not isinstance(backbone, Mapping) or 'type' not in backbone:
        return backbone
    scope = config.get('default_scope') or 'mmpretrain'
    kind = str(backbone['type'])
    other = ('type', 'init_cfg', 'frozen_stages', 'pretrained')
    rest = {key: value for key, value in backbone.items() if key not in other}
    return dict(type=kind if '.' in kind else f'{scope}.{kind}', **rest)
