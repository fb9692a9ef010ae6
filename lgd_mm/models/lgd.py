"""Language-guided distillation: the paper's figure, from images to the two losses."""

from typing import Any

from mmpretrain.structures import DataSample
from torch import Tensor

from lgd_mm.models.common import with_scores
from lgd_mm.models.distiller import Distiller
from lgd_mm.registry import MODELS


@MODELS.register_module()
class LGD(Distiller):
    """Pre-trains a student from a frozen CLIP teacher and category names (`arXiv:2406.11689
    <https://arxiv.org/abs/2406.11689>`_).

    One augmented view goes to both networks; LGKA compares their embeddings with the textual and the visual semantics
    bank, and the head pulls the student's distribution over each bank to the teacher's::

        images --+-- teacher (frozen) ----------+
                 |                              +-- LGKA: textual bank, visual bank -- head: two losses
                 +-- backbone -- neck (MLP) ----+

    Args:
        lgka (dict): Language-guided knowledge aggregation, with the category names.
        head (dict): The two losses.
        **parts (Any): Backbone, neck and teacher, see :class:`lgd_mm.models.distiller.Distiller`.

    Raises:
        UserError: If the parts do not fit together.
    """

    def __init__(self, lgka: dict[str, Any], head: dict[str, Any], **parts: Any) -> None:
        super().__init__(**parts)
        self.lgka = MODELS.build(lgka, default_args=dict(teacher=self.teacher))
        self.teacher.release_text()
        self.head = MODELS.build(head)

    @property
    def names(self) -> Tensor:
        """The textual bank (C, D)."""
        return self.lgka.textual_bank

    def alignment(self, student: Tensor, teacher: Tensor) -> dict[str, Tensor]:
        """The two losses of a batch; the visual bank moves during their backward pass.

        Args:
            student (Tensor): The student's embeddings (B, D), not normalised.
            teacher (Tensor): The teacher's of the same images (B, D), not normalised.

        Returns:
            dict[str, Tensor]: ``loss_visual`` and ``loss_textual``, weighted.
        """
        textual, visual = self.lgka(student, teacher)
        return self.head.loss(textual, visual)

    def predict(self, inputs: Tensor, data_samples: list[DataSample] | None = None) -> list[DataSample]:
        """Zero-shot classification: the student's embedding against the textual bank.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).
            data_samples (list[DataSample], optional): Filled with ``pred_score`` (C, ) and ``pred_label``.
                Defaults to None.

        Returns:
            list[DataSample]: One for each image.
        """
        scores = self.head.predict(self.lgka.textual_similarity(self.embed(inputs)))
        return with_scores(scores, data_samples)
