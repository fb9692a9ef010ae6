"""The textual and the visual alignment loss."""

from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.models.losses import alignment_loss
from lgd_mm.models.necks.lgka import Pair
from lgd_mm.registry import MODELS


@MODELS.register_module()
class LGDHead(BaseModule):
    """``alpha * visual + (1 - alpha) * textual`` alignment (paper, Sec. 3).

    Args:
        alpha (float): Share of the visual loss, in [0, 1]. Defaults to 0.5.
        student_temperature (float): Defaults to 0.2.
        teacher_temperature (float): Defaults to 0.01.
        init_cfg (dict, optional): As in mmengine. Defaults to None.

    Raises:
        UserError: If a value lies outside its range.
    """

    def __init__(self,
                 alpha: float = 0.5,
                 student_temperature: float = 0.2,
                 teacher_temperature: float = 0.01,
                 init_cfg: dict[str, Any] | None = None) -> None:
        super().__init__(init_cfg)
        if not 0 <= alpha <= 1:
            raise UserError(f'model.head.alpha is {alpha}: it must lie in [0, 1]')
        for name, value in dict(student_temperature=student_temperature,
                                teacher_temperature=teacher_temperature).items():
            if value <= 0:
                raise UserError(f'model.head.{name} is {value}: it must be above 0')
        self.alpha = alpha
        self.student_temperature = student_temperature
        self.teacher_temperature = teacher_temperature

    def loss(self, textual: Pair, visual: Pair) -> dict[str, Tensor]:
        """Both losses with their weights.

        Args:
            textual (Pair): Student and teacher similarities to the textual bank, each (B, C).
            visual (Pair): The same to the visual bank, each (B, C) or (B, 1 + C).

        Returns:
            dict[str, Tensor]: ``loss_visual`` and ``loss_textual``, each (); their sum is the total.
        """
        temperatures = self.student_temperature, self.teacher_temperature
        return dict(
            loss_visual=self.alpha * alignment_loss(visual, *temperatures),
            loss_textual=(1 - self.alpha) * alignment_loss(textual, *temperatures))

    def predict(self, textual: Tensor) -> Tensor:
        """Zero-shot probabilities.

        Args:
            textual (Tensor): Student similarities to the textual bank (B, C).

        Returns:
            Tensor: (B, C), rows sum to 1.
        """
        return F.softmax(textual / self.student_temperature, dim=1)
