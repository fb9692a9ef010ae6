"""Feature mimicking: the student's embedding becomes the teacher's."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.models.distiller import Distiller
from lgd_mm.registry import MODELS


@MODELS.register_module()
class FeatureMimicking(Distiller):
    """The plainest distillation: each student embedding moves to its teacher's, as CLIP-KD's feature distillation
    (`arXiv:2307.12732 <https://arxiv.org/abs/2307.12732>`_, Sec. 3.2).

    Args:
        distance (str): ``'cosine'``, one minus the cosine of the two, or ``'mse'``, their squared Euclidean distance
            without normalisation. Defaults to ``'cosine'``.
        **parts (Any): Backbone, neck and teacher, see :class:`lgd_mm.models.distiller.Distiller`.

    Raises:
        UserError: If the distance is another.
    """

    def __init__(self, distance: str = 'cosine', **parts: Any) -> None:
        super().__init__(**parts)
        if distance not in ('cosine', 'mse'):
            raise UserError(f"model.distance is {distance!r}: it must be 'cosine' or 'mse'")
        self.distance = distance

    def alignment(self, student: Tensor, teacher: Tensor) -> dict[str, Tensor]:
        """``loss_mimicking``, the mean distance of a batch."""
        with torch.autocast(student.device.type, enabled=False):
            student, teacher = student.float(), teacher.float()
            if self.distance == 'cosine':
                distance = 1 - F.cosine_similarity(student, teacher)
            else:
                distance = (student - teacher).square().sum(dim=1)
            return dict(loss_mimicking=distance.mean())
