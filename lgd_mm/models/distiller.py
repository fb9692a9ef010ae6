"""What all distillers share: a student and a frozen teacher that see the same images."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.models.common import IMAGENET_PREPROCESSOR
from lgd_mm.models.hidden_teacher import HiddenTeacher
from lgd_mm.models.necks.projection import projection_between
from lgd_mm.models.teachers.base import Taught, Teacher
from lgd_mm.registry import MODELS


class Distiller(HiddenTeacher, BaseModel):
    """A student and a frozen teacher; what the student learns from it is the subclass's :meth:`alignment`.

    Args:
        backbone (dict): The student, any mmpretrain backbone or ``mmpretrain.TIMMBackbone``.
        neck (dict): The projection to the teacher's embedding width; ``in_channels`` and ``out_channels`` are taken
            from the backbone and the teacher and may be left out. None only where the subclass says so.
        teacher (dict | Teacher): The frozen teacher, e.g. ``lgd_mm.OpenCLIPTeacher``, or one that is built already.
        dense (dict, optional): What the student learns of positions beside it, ``lgd_mm.DenseGuidance``; its widths are
            taken from the backbone and the teacher. Defaults to None: nothing, as published.
        data_preprocessor (dict, optional): Its ``mean`` and ``std`` are the student's. Defaults to ImageNet's.
        init_cfg (dict, optional): As in mmengine. Defaults to None.
        compile (bool): Compile student and teacher with ``torch.compile``. Defaults to False.

    Raises:
        UserError: If the parts do not fit together.
    """

    def __init__(self,
                 backbone: dict[str, Any],
                 neck: dict[str, Any] | None,
                 teacher: dict[str, Any] | Teacher,
                 dense: dict[str, Any] | None = None,
                 data_preprocessor: dict[str, Any] | None = None,
                 init_cfg: dict[str, Any] | None = None,
                 compile: bool = False) -> None:
        super().__init__({**IMAGENET_PREPROCESSOR, **(data_preprocessor or {})}, init_cfg)
        if not hasattr(self.data_preprocessor, 'mean') or not getattr(self.data_preprocessor, 'to_rgb', True):
            raise UserError('model.data_preprocessor must normalise RGB images: give mean, std and to_rgb=True')
        self.backbone = MODELS.build(backbone)

        self.hide_teacher(teacher)
        self.neck = self._build_neck(neck)
        self.dense = self._build_dense(dense) if dense else None
        teachers = [self.teacher]
        if self.dense is not None and self.dense.structure is not None:
            teachers.append(self.dense.structure.teacher)
        for each in teachers:
            each.set_input_statistics(self.data_preprocessor.mean, self.data_preprocessor.std)
        if compile:
            for network in (self.backbone, *teachers):
                network.compile()

    def _build_neck(self, neck: Any) -> Any:
        """From the backbone's width to the teacher's."""
        return projection_between(neck, self.backbone, self.teacher.embed_dim)

    def _build_dense(self, dense: dict[str, Any]) -> Any:
        """What is learnt of positions; a method that has a loss of its own, of images alone, takes none."""
        if type(self).loss is not Distiller.loss:
            raise UserError(f'lgd_mm.{type(self).__name__} learns nothing of positions: leave model.dense out, or take '
                            'a method whose student imitates the embeddings of its teacher, such as lgd_mm.LGD')
        if 'type' not in dense:
            raise UserError(f'model.dense.{next(iter(dense), "type")} is given to a run without dense guidance: take '
                            'it with --recipe dense, a *_dense_* config or model.dense.type=lgd_mm.DenseGuidance, or '
                            'leave it out')
        guidance = MODELS.build(dense, default_args=dict(backbone=self.backbone, teacher=self.teacher))
        guidance.check_names(type(self).names is not Distiller.names)
        if guidance.lgka is not None:  # its names are encoded
            self.teacher.release_text()
        return guidance

    def features(self, inputs: Tensor) -> Sequence[Tensor]:
        """The backbone's outputs.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).

        Returns:
            Sequence[Tensor]: The last of them is what the neck embeds.
        """
        # Channels last is faster, but in float32 on a CPU torch 2.11's narrow strided 1 x 1 convolutions overrun their
        # memory in it.
        if inputs.is_cuda or torch.is_autocast_enabled(inputs.device.type):
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        return self.backbone(inputs)

    def embed(self, inputs: Tensor) -> Tensor:
        """Student embeddings.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).

        Returns:
            Tensor: Embeddings (B, D), not normalised.
        """
        return self.neck(self.features(inputs))

    def embed_positions(self, inputs: Tensor) -> Tensor:
        """Student embeddings of positions, by its pyramid, or without one by its projection.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).

        Returns:
            Tensor: Embeddings (B, D, h, w), not normalised.

        Raises:
            UserError: If the student gives no maps.
        """
        project = self.neck.dense if self.dense is None else self.dense.embed
        return project(self.features(inputs))

    @property
    def names(self) -> Tensor | None:
        """The textual bank (C, D) that positions are compared with; None for a method without names."""
        return None

    def alignment(self, student: Tensor, teacher: Tensor) -> dict[str, Tensor]:
        """What the method asks of the embeddings of a batch.

        Args:
            student (Tensor): The student's (B, D), not normalised.
            teacher (Tensor): The teacher's of the same images (B, D), not normalised.

        Returns:
            dict[str, Tensor]: Losses, each (), weighted.
        """
        raise NotImplementedError

    def loss(self, inputs: Tensor, teacher: Tensor | Taught) -> dict[str, Tensor]:
        """The losses of a batch.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).
            teacher (Tensor | Taught): The teacher's embeddings of them (B, D), not normalised, and with dense guidance
                those of their positions, or of crops.

        Returns:
            dict[str, Tensor]: Each (), weighted.
        """
        taught = teacher if isinstance(teacher, Taught) else Taught(teacher)
        features = self.features(inputs)
        student = self.neck(features)
        losses = self.alignment(student, taught.embedding)
        if self.dense is not None:
            of_positions = self.dense.loss(features, student, taught, self.names, inputs)
            both = losses.keys() & of_positions.keys()
            if both:
                raise UserError(f'lgd_mm.{type(self).__name__} and model.dense both have a {min(both)}: call that of '
                                'the method otherwise')
            losses.update(of_positions)
        return losses

    def predict(self, inputs: Tensor, data_samples: list[Any] | None = None) -> list[Any]:
        """A distiller without names predicts nothing: ``lgd_mm.ZeroShotClassifier`` tests its student."""
        raise NotImplementedError(f'{type(self).__name__} knows no category names: test it with a zero-shot config')

    def forward(self,
                inputs: Tensor,
                data_samples: list[Any] | None = None,
                teacher: Tensor | Taught | None = None,
                mode: str = 'tensor') -> Any:
        """mmengine's entry: ``mode`` is ``'loss'``, ``'predict'`` or ``'tensor'`` (the backbone's features); a batch
        from a cache brings what the teacher gave along."""
        if mode == 'loss':
            if teacher is None:
                teacher = self.teacher(inputs, dense=True) if self.dense is not None else self.teacher(inputs)
            elif isinstance(teacher, Taught) and self.dense is None:
                teacher = teacher.embedding
            return self.loss(inputs, teacher)
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self.backbone(inputs)
        raise ValueError(f"mode is 'loss', 'predict' or 'tensor', not {mode!r}")
