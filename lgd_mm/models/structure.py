"""How alike the positions of an image are, learnt from a second teacher, which needs no text."""

from typing import Any

import torch
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.models.common import check_number
from lgd_mm.models.losses import structure_loss
from lgd_mm.models.teachers.base import Teacher
from lgd_mm.registry import MODELS


class StructureGuidance(nn.Module):
    """A part of :class:`lgd_mm.models.DenseGuidance`: the cosines between the positions of an image, as a second frozen
    teacher sees them. It may be any network of images: what is compared lies within one space each, so the student's
    maps need no projection to it.

    Each student of :class:`lgd_mm.ManyStudents` has a second teacher of its own, also where they name the same.

    Args:
        teacher (dict | Teacher): Such as ``dict(type='lgd_mm.BackboneTeacher', backbone=dict(
            type='mmpretrain.TIMMBackbone', model_name='vit_small_patch14_dinov2', pretrained=True, img_size=224),
            image_size=224)``.
        weight (float): Of the loss. Defaults to 1.
        temperature (float): Divides the cosines of both. Defaults to 0.07.

    Raises:
        UserError: If a value lies outside its range, or the teacher has no positions.
    """

    teacher: Teacher

    def __init__(self, teacher: dict[str, Any] | Teacher, weight: float = 1., temperature: float = 0.07) -> None:
        super().__init__()
        check_number('model.dense.structure.weight', weight)
        check_number('model.dense.structure.temperature', temperature, above=True)
        self.weight, self.temperature = weight, temperature
        # Out of nn.Module's sight, and without a draw of the student's, as the distiller holds its own.
        with torch.random.fork_rng(devices=[]):
            object.__setattr__(self, 'teacher', _checked(teacher))

    def _apply(self, fn: Any, recurse: bool = True) -> 'StructureGuidance':
        """Move the hidden teacher along with ``to()``, ``cuda()`` and ``half()``."""
        self.teacher._apply(fn, recurse)
        return super()._apply(fn, recurse)

    def forward(self, student: Tensor, inputs: Tensor) -> Tensor:
        """The loss of a batch.

        Args:
            student (Tensor): The student's maps (B, d, H, W).
            inputs (Tensor): Normalised images (B, 3, H, W), as the student takes them.

        Returns:
            Tensor: (), weighted.
        """
        positions = self.teacher(inputs, dense=True).dense
        with torch.autocast(inputs.device.type, enabled=False):
            return self.weight * structure_loss(student, positions, self.temperature)


def _checked(teacher: dict[str, Any] | Teacher) -> Any:
    """A second teacher with positions; what is said of it names its own keys, not those of the first."""
    try:
        network: Any = teacher if isinstance(teacher, Teacher) else MODELS.build(teacher)
        network.check_dense()
    except UserError as error:
        said = str(error).replace('leave model.dense out', 'leave model.dense.structure out')
        raise type(error)(said.replace('model.teacher', 'model.dense.structure.teacher')) from error
    return network
