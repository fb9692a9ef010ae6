"""CompRess: the student keeps a space of its own, and only the similarities in it follow the teacher's."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lgd_mm.models.baselines.queue import EmbeddingQueue
from lgd_mm.models.distiller import Distiller
from lgd_mm.models.features import feature_channels, mean_pool
from lgd_mm.registry import MODELS


@MODELS.register_module()
class CompRess(Distiller):
    """CompRess-2q (`arXiv:2010.14713 <https://arxiv.org/abs/2010.14713>`_, Sec. 3): the softmax of the student's
    similarities to student anchors follows that of the teacher's to the teacher's anchors of the same images.

    The student anchors come from a moving average of the student. Its space is not the teacher's, so its embeddings
    cannot be compared with texts: there is no zero-shot classification.

    Args:
        neck (dict, optional): A projection of the student's features, which the published form has not. Defaults to
            None.
        queue_length (int): Anchors of each kind. Defaults to 128000.
        temperature (float): Of both softmaxes. Defaults to 0.04.
        momentum (float): Of the moving average. Defaults to 0.999.
        **parts (Any): Backbone and teacher, see :class:`lgd_mm.models.distiller.Distiller`.
    """

    def __init__(self,
                 neck: dict[str, Any] | None = None,
                 queue_length: int = 128000,
                 temperature: float = 0.04,
                 momentum: float = 0.999,
                 **parts: Any) -> None:
        super().__init__(neck=neck, **parts)
        self.anchor = copy.deepcopy(nn.Sequential(self.backbone, self.neck)).requires_grad_(False)
        self.teacher_queue = EmbeddingQueue(queue_length, self.teacher.embed_dim)
        self.student_queue = EmbeddingQueue(
            queue_length, self.teacher.embed_dim if neck else feature_channels(self.backbone))
        self.temperature = temperature
        self.momentum = momentum

    def _build_neck(self, neck: dict[str, Any] | None) -> Any:
        return super()._build_neck(neck) if neck else _Pooled()

    def init_weights(self) -> None:
        """Initialise the student; its moving average begins with the same weights."""
        super().init_weights()
        self.anchor.load_state_dict(nn.Sequential(self.backbone, self.neck).state_dict())

    def loss(self, inputs: Tensor, teacher: Any) -> dict[str, Tensor]:
        """``loss_similarity``; the queues move on during its backward pass, when every use of them is over."""
        anchor = self._anchor_embedding(inputs)
        student = self.embed(inputs)
        with torch.autocast(inputs.device.type, enabled=False):
            anchor, student, teacher = (F.normalize(item.float(), dim=1) for item in (anchor, student, teacher))
            ours = student @ self.student_queue.embeddings.T / self.temperature  # (B, K)
            theirs = teacher @ self.teacher_queue.embeddings.T / self.temperature
            loss = F.kl_div(F.log_softmax(ours, dim=1), F.log_softmax(theirs, dim=1), reduction='batchmean',
                            log_target=True)

        def push(grad: Tensor) -> None:
            self.teacher_queue.push(teacher)
            self.student_queue.push(anchor)

        if student.requires_grad:
            student.register_hook(push)
        return dict(loss_similarity=loss)

    @torch.no_grad()
    def _anchor_embedding(self, inputs: Tensor) -> Tensor:
        """Move the average towards the student, and embed with it (B, D)."""
        if self.training:
            for average, current in zip(self.anchor.parameters(), nn.Sequential(self.backbone, self.neck).parameters()):
                average.lerp_(current, 1 - self.momentum)
        return self.anchor(inputs)


class _Pooled(nn.Module):
    """The last of a backbone's outputs, averaged: (B, d)."""

    def forward(self, features: Sequence[Tensor]) -> Tensor:
        return mean_pool(features[-1])
