"""SEED: self-supervised distillation."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from lgd_mm.models.baselines.queue import EmbeddingQueue
from lgd_mm.models.distiller import Distiller
from lgd_mm.models.losses import alignment_loss
from lgd_mm.registry import MODELS


@MODELS.register_module()
class SEED(Distiller):
    """The student's similarities to a queue of teacher features follow the teacher's (`arXiv:2101.04731
    <https://arxiv.org/abs/2101.04731>`_, Sec. 3.2).

    The image's own teacher feature stands beside the queue's; the loss is the cross entropy of the two softmaxes.
    With a teacher that knows no text, such as DINO's, this is similarity distillation without language.

    Args:
        queue_length (int): Teacher features remembered. Defaults to 65536.
        student_temperature (float): Defaults to 0.2.
        teacher_temperature (float): Defaults to 0.01.
        **parts (Any): Backbone, neck and teacher, see :class:`lgd_mm.models.distiller.Distiller`.
    """

    def __init__(self,
                 queue_length: int = 65536,
                 student_temperature: float = 0.2,
                 teacher_temperature: float = 0.01,
                 **parts: Any) -> None:
        super().__init__(**parts)
        self.queue = EmbeddingQueue(queue_length, self.teacher.embed_dim)
        self.temperatures = student_temperature, teacher_temperature

    def alignment(self, student: Tensor, teacher: Tensor) -> dict[str, Tensor]:
        """``loss_similarity``; the queue moves on during its backward pass, when every use of it is over."""
        with torch.autocast(student.device.type, enabled=False):
            student = F.normalize(student.float(), dim=1)
            teacher = F.normalize(teacher.float(), dim=1)
            pair = self._similarity(student, teacher), self._similarity(teacher, teacher)
            loss = alignment_loss(pair, *self.temperatures)
        if student.requires_grad:
            student.register_hook(lambda grad: self.queue.push(teacher))
        return dict(loss_similarity=loss)

    def _similarity(self, embedding: Tensor, teacher: Tensor) -> Tensor:
        """Similarities of unit embeddings (B, D) to the own teacher feature and to the queue's (B, 1 + K)."""
        own = (embedding * teacher).sum(dim=1, keepdim=True)
        return torch.cat([own, embedding @ self.queue.embeddings.T], dim=1)
