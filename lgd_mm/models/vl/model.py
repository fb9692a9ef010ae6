"""A model of vision and language: a transformer over words, tags and regions, and what it is trained for."""

from typing import Any

from mmengine.model import BaseModel
from torch import Tensor

from lgd_mm.models.vl.tasks import Labels, build_task
from lgd_mm.models.vl.transformer import Encoded, VLTransformer, initialise
from lgd_mm.registry import MODELS


@MODELS.register_module()
class VisionLanguageModel(BaseModel):
    """A teacher of vision and language, its adaptation to other regions, or a student without distillation.

    Args:
        transformer (dict): Arguments of :class:`lgd_mm.models.vl.transformer.VLTransformer`.
        task (dict): ``lgd_mm.VLPretraining``, ``lgd_mm.VLCaptioning`` or ``lgd_mm.VLAnswering``.
        init_cfg (dict, optional): As in mmengine. Defaults to None.
    """

    def __init__(self,
                 transformer: dict[str, Any],
                 task: dict[str, Any],
                 init_cfg: dict[str, Any] | None = None) -> None:
        super().__init__(init_cfg=init_cfg)
        self.transformer = VLTransformer(**transformer)
        self.task = build_task(task, self.transformer)

    def init_weights(self) -> None:
        """Those of transformer and task as BERT's; ``init_cfg`` goes before."""
        if self.init_cfg is None:
            initialise(self)
        super().init_weights()

    def encode(self, inputs: dict[str, Any], with_attention: bool = False, regions: str = 'regions') -> Encoded:
        """Hidden states of a batch.

        Args:
            inputs (dict): ``tokens`` and ``segments`` (B, L), ``regions`` (B, R, F), ``valid`` (B, L + R) and
                ``text_length``, the first tokens, which are the text's.
            with_attention (bool): Give the attention maps of the last block as well. Defaults to False.
            regions (str): Key of the regions. Defaults to 'regions'.
        """
        mask = self.task.mask(inputs['valid'], inputs['text_length'])
        encoded: Encoded = self.transformer(
            inputs['tokens'], inputs['segments'], inputs[regions], mask, with_attention)
        return encoded

    def loss(self, inputs: dict[str, Any], targets: dict[str, Tensor]) -> dict[str, Tensor]:
        """The losses of the task.

        Args:
            inputs (dict): Those of :meth:`encode`.
            targets (dict[str, Tensor]): Those of the task.
        """
        hidden = self.encode(inputs).hidden
        labels: Labels = self.task.labels(hidden, targets)
        losses: dict[str, Tensor] = self.task.loss(hidden, labels, targets)
        return losses

    def forward(self,
                inputs: dict[str, Any],
                targets: dict[str, Tensor] | None = None,
                data_samples: list[Any] | None = None,
                mode: str = 'tensor') -> Any:
        """mmengine's entry: ``mode`` is ``'loss'`` or ``'tensor'`` (the hidden states)."""
        if mode == 'loss':
            assert targets is not None
            return self.loss(inputs, targets)
        if mode == 'tensor':
            return self.encode(inputs).hidden
        raise ValueError(f"mode is 'loss' or 'tensor', not {mode!r}")
