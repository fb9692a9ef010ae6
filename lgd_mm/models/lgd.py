"""Language-guided distillation: the paper's figure, from images to the two losses."""

from typing import Any

import torch
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.registry import MODELS

#: ImageNet statistics, 0-255 RGB: the student keeps those of the downstream configs, the teacher re-normalises.
IMAGENET_PREPROCESSOR = dict(
    type='mmpretrain.ClsDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)


@MODELS.register_module()
class LGD(BaseModel):
    """Pre-trains a student from a frozen CLIP teacher and category names (`arXiv:2406.11689
    <https://arxiv.org/abs/2406.11689>`_).

    One augmented view goes to both networks; LGKA compares their embeddings with the textual and the visual semantics
    bank, and the head pulls the student's distribution over each bank to the teacher's::

        images --+-- teacher (frozen) ----------+
                 |                              +-- LGKA: textual bank, visual bank -- head: two losses
                 +-- backbone -- neck (MLP) ----+

    Args:
        backbone (dict): The student, any mmpretrain backbone or ``mmpretrain.TIMMBackbone``.
        neck (dict): The projection to the teacher's embedding width; ``in_channels`` and ``out_channels`` are taken
            from the backbone and the teacher and may be left out.
        teacher (dict): The frozen teacher, e.g. ``lgd_mm.OpenCLIPTeacher``.
        lgka (dict): Language-guided knowledge aggregation, with the category names.
        head (dict): The two losses.
        data_preprocessor (dict, optional): Its ``mean`` and ``std`` are the student's. Defaults to ImageNet's.
        init_cfg (dict, optional): As in mmengine. Defaults to None.

    Raises:
        UserError: If the parts do not fit together.
    """

    def __init__(self,
                 backbone: dict,
                 neck: dict,
                 teacher: dict,
                 lgka: dict,
                 head: dict,
                 data_preprocessor: dict | None = None,
                 init_cfg: dict | None = None) -> None:
        super().__init__({**IMAGENET_PREPROCESSOR, **(data_preprocessor or {})}, init_cfg)
        if not hasattr(self.data_preprocessor, 'mean') or not getattr(self.data_preprocessor, 'to_rgb', True):
            raise UserError('model.data_preprocessor must normalise RGB pictures: give mean, std and to_rgb=True')
        self.backbone = MODELS.build(backbone)

        # The teacher is held outside nn.Module's sight: no checkpoint, optimiser, init_weights() or train() reaches it.
        teacher_model = MODELS.build(teacher)
        teacher_model.set_input_statistics(self.data_preprocessor.mean, self.data_preprocessor.std)
        object.__setattr__(self, 'teacher', teacher_model)

        self.neck = MODELS.build(
            _fill(neck, 'neck', in_channels=feature_channels(self.backbone), out_channels=teacher_model.embed_dim))
        self.lgka = MODELS.build(lgka, default_args=dict(teacher=teacher_model))
        teacher_model.release_text()
        self.head = MODELS.build(head)

    def _apply(self, fn: Any, recurse: bool = True) -> 'LGD':
        """Move the hidden teacher along with ``to()``, ``cuda()`` and ``half()``."""
        self.teacher._apply(fn, recurse)
        return super()._apply(fn, recurse)

    def embed(self, inputs: Tensor) -> Tensor:
        """Student embeddings.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).

        Returns:
            Tensor: Embeddings (B, D), not normalised.
        """
        return self.neck(self.backbone(inputs))

    def loss(self, inputs: Tensor) -> dict[str, Tensor]:
        """The two losses of a batch; the visual bank moves during their backward pass.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).

        Returns:
            dict[str, Tensor]: ``loss_visual`` and ``loss_textual``, weighted.
        """
        student = self.embed(inputs)
        teacher = self.teacher(inputs)
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
        if data_samples is None:
            data_samples = [DataSample() for _ in scores]
        return [
            sample.set_pred_score(score).set_pred_label(score.argmax()) for sample, score in zip(data_samples, scores)
        ]

    def forward(self, inputs: Tensor, data_samples: list[DataSample] | None = None, mode: str = 'tensor') -> Any:
        """mmengine's entry: ``mode`` is ``'loss'``, ``'predict'`` or ``'tensor'`` (the backbone's features)."""
        if mode == 'loss':
            return self.loss(inputs)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self.backbone(inputs)
        raise ValueError(f"mode is 'loss', 'predict' or 'tensor', not {mode!r}")


@torch.no_grad()
def feature_channels(backbone: nn.Module) -> int:
    """Channels of the backbone's last output, found by showing it an empty picture.

    Args:
        backbone (nn.Module): Takes (B, 3, H, W) and returns a tuple of feature maps, as mmpretrain's backbones do.

    Returns:
        int: Channels of the last feature map (B, C, H, W), tokens (B, N, C) or vector (B, C).
    """
    training = backbone.training
    backbone.eval()
    features = backbone(torch.zeros(1, 3, 224, 224))[-1]
    backbone.train(training)
    return features.shape[1] if features.dim() == 4 else features.shape[-1]


def _fill(cfg: dict, part: str, **derived: int) -> dict:
    """Add derived widths to a part's config; a contradicting one is the user's mistake."""
    for key, value in derived.items():
        if cfg.get(key, value) != value:
            raise UserError(f'model.{part}.{key} is {cfg[key]}, but the backbone and the teacher ask for {value}: '
                            f'set it to {value} or leave it out')
    return {**cfg, **derived}
