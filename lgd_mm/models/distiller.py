"""What all distillers share: a student and a frozen teacher that see the same pictures."""

from typing import Any

from mmengine.model import BaseModel
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.models.features import feature_channels
from lgd_mm.registry import MODELS

#: ImageNet statistics, 0-255 RGB: the student keeps those of the downstream configs, the teacher re-normalises.
IMAGENET_PREPROCESSOR = dict(
    type='mmpretrain.ClsDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)


class Distiller(BaseModel):
    """A student and a frozen teacher; what the student learns from it is the subclass's :meth:`loss`.

    Args:
        backbone (dict): The student, any mmpretrain backbone or ``mmpretrain.TIMMBackbone``.
        neck (dict): The projection to the teacher's embedding width; ``in_channels`` and ``out_channels`` are taken
            from the backbone and the teacher and may be left out.
        teacher (dict): The frozen teacher, e.g. ``lgd_mm.OpenCLIPTeacher``.
        data_preprocessor (dict, optional): Its ``mean`` and ``std`` are the student's. Defaults to ImageNet's.
        init_cfg (dict, optional): As in mmengine. Defaults to None.

    Raises:
        UserError: If the parts do not fit together.
    """

    def __init__(self,
                 backbone: dict,
                 neck: dict,
                 teacher: dict,
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

    def _apply(self, fn: Any, recurse: bool = True) -> 'Distiller':
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
        """The losses of a batch.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).

        Returns:
            dict[str, Tensor]: Each (), weighted.
        """
        raise NotImplementedError

    def predict(self, inputs: Tensor, data_samples: list | None = None) -> list:
        """A distiller without names predicts nothing: ``lgd_mm.ZeroShotClassifier`` tests its student."""
        raise NotImplementedError(f'{type(self).__name__} knows no category names: test it with a zero-shot config')

    def forward(self, inputs: Tensor, data_samples: list | None = None, mode: str = 'tensor') -> Any:
        """mmengine's entry: ``mode`` is ``'loss'``, ``'predict'`` or ``'tensor'`` (the backbone's features)."""
        if mode == 'loss':
            return self.loss(inputs)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self.backbone(inputs)
        raise ValueError(f"mode is 'loss', 'predict' or 'tensor', not {mode!r}")


def _fill(cfg: dict, part: str, **derived: int) -> dict:
    """Add derived widths to a part's config; a contradicting one is the user's mistake."""
    for key, value in derived.items():
        if cfg.get(key, value) != value:
            raise UserError(f'model.{part}.{key} is {cfg[key]}, but the backbone and the teacher ask for {value}: '
                            f'set it to {value} or leave it out')
    return {**cfg, **derived}
