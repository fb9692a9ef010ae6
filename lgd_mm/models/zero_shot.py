"""Zero-shot classification by any student whose embeddings lie in its teacher's space."""

from typing import Any

import torch.nn.functional as F
from mmengine.model import BaseModel
from mmpretrain.structures import DataSample
from torch import Tensor, nn

from lgd_mm.errors import UserError
from lgd_mm.language import Vocabulary, category_names, prompt_templates, textual_bank
from lgd_mm.models.common import IMAGENET_PREPROCESSOR, with_scores
from lgd_mm.models.necks.lgka import check_text
from lgd_mm.models.necks.projection import projection_between
from lgd_mm.registry import MODELS

#: CLIP's own: its similarities are trained at a hundredth.
TEMPERATURE = 0.01
#: What is said of an exported student.
NO_PROJECTION = ('holds no neck.*: zero-shot classification needs the projection of the student, so give a checkpoint '
                 'of its pre-training (epoch_N.pth), not an exported student')
#: Key prefixes of students that do not imitate their teacher's embeddings: those of lgd_mm.CompRess.
OWN_SPACE = ('anchor.', 'student_queue.')


class ZeroShot(BaseModel):
    """A student with its projection against a textual bank; where the names come from is the subclass's matter.

    Attributes:
        backbone (nn.Module): The student's.
        neck (nn.Module): Its projection into the space of the bank.
        textual_bank (Tensor): (C, D), rows of unit length.
        names (tuple[str, ...]): The C names, in the order of the labels.
    """

    backbone: nn.Module
    neck: nn.Module
    textual_bank: Tensor
    names: tuple[str, ...]

    @property
    def _dataset_meta(self) -> dict[str, Any]:
        """Where mmpretrain's inferencers look for class names; what a checkpoint's data set had to say is not asked."""
        return dict(classes=list(self.names))

    @_dataset_meta.setter
    def _dataset_meta(self, value: Any) -> None:
        """``mmpretrain.get_model`` sets it: the names stay."""

    def predict(self, inputs: Tensor, data_samples: list[DataSample] | None = None) -> list[DataSample]:
        """Classify images.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).
            data_samples (list[DataSample], optional): Filled with ``pred_score`` (C, ) and ``pred_label``.
                Defaults to None.

        Returns:
            list[DataSample]: One for each image.
        """
        return with_scores(zero_shot_scores(self.neck(self.backbone(inputs)), self.textual_bank), data_samples)

    def forward(self, inputs: Tensor, data_samples: list[DataSample] | None = None, mode: str = 'tensor') -> Any:
        """mmengine's entry: ``mode`` is ``'predict'`` or ``'tensor'`` (the embeddings)."""
        if mode == 'predict':
            return self.predict(inputs, data_samples)
        if mode == 'tensor':
            return self.neck(self.backbone(inputs))
        raise UserError(f'lgd_mm.{type(self).__name__} is only tested: use tools/test.py CONFIG CHECKPOINT')


@MODELS.register_module()
class ZeroShotClassifier(ZeroShot):
    """A student's embedding against the textual bank of any names (paper, Sec. 4; the student keeps its MLP).

    It takes checkpoints of LGD and of every other distiller whose student imitates the teacher's embeddings, and reads
    ``backbone.*`` and ``neck.*`` of them.

    Args:
        backbone (dict): The student's.
        neck (dict): The student's projection; its widths may be left out.
        teacher (dict): The one the student was trained with; only its text tower is used.
        categories (str | list[str]): Whatever :func:`lgd_mm.language.category_names` takes, in the order of the labels.
        templates (str | list[str], optional): Prompt templates with one ``{}`` each, or a text file of them. Defaults
            to None: OpenAI's 80.
        data_preprocessor (dict, optional): Its ``mean`` and ``std`` are the student's. Defaults to ImageNet's.

    Raises:
        UserError: If the names or templates cannot be used, or the checkpoint has no projection into the teacher's
            space.
    """

    def __init__(self,
                 backbone: dict[str, Any],
                 neck: dict[str, Any],
                 teacher: dict[str, Any],
                 categories: str | list[str],
                 templates: str | list[str] | None = None,
                 data_preprocessor: dict[str, Any] | None = None) -> None:
        super().__init__({**IMAGENET_PREPROCESSOR, **(data_preprocessor or {})})
        self.backbone = MODELS.build(backbone)
        text = MODELS.build(teacher)
        self.neck = projection_between(neck, self.backbone, text.embed_dim)
        self.names = tuple(category_names(categories))
        self.register_buffer('textual_bank', bank_of_names(text, categories, templates), persistent=False)
        self.register_load_state_dict_pre_hook(_keep_student)


def bank_of_names(text: Any, categories: str | list[str], templates: str | list[str] | None = None) -> Tensor:
    """The textual bank of any names.

    Args:
        text (Any): A teacher with a text tower, e.g. :class:`lgd_mm.models.teachers.OpenCLIPTeacher`.
        categories (str | list[str]): Whatever :func:`lgd_mm.language.category_names` takes, in the order of the labels.
        templates (str | list[str], optional): As of :class:`ZeroShotClassifier`. Defaults to None.

    Returns:
        Tensor: (C, D), rows of unit length.

    Raises:
        UserError: If the teacher knows no text, or the names or templates cannot be used.
    """
    check_text(text)
    vocabulary = Vocabulary(tuple(category_names(categories)), tuple(prompt_templates(templates)))
    return textual_bank(text.encode_text, vocabulary, cache_key=text.fingerprint)


def similarities(embeddings: Tensor, bank: Tensor) -> Tensor:
    """Cosine similarities (N, C) of embeddings (N, D) to a textual bank (C, D).

    Raises:
        UserError: If the bank has another D: it is of another teacher.
    """
    if embeddings.shape[1] != bank.shape[1]:
        raise UserError(f'the embeddings of the student have {embeddings.shape[1]} dimensions, and those of the names '
                        f'{bank.shape[1]}: give the teacher that the student was trained with')
    return F.normalize(embeddings.float(), dim=1) @ bank.T


def zero_shot_scores(embeddings: Tensor, bank: Tensor) -> Tensor:
    """Similarities as CLIP weighs them (N, C): each row sums to one."""
    return F.softmax(similarities(embeddings, bank) / TEMPERATURE, dim=1)


def _keep_student(module: ZeroShotClassifier, state_dict: dict[str, Any], *args: Any) -> None:
    """Of a distiller's checkpoint, only the student is wanted."""
    if any(key.startswith(OWN_SPACE) for key in state_dict):
        raise UserError('the checkpoint is of lgd_mm.CompRess, whose student has a space of its own: zero-shot '
                        'classification needs one in the space of the teacher, such as of LGD, SEED or mimicking')
    if not any(key.startswith('neck.') for key in state_dict):
        raise UserError(f'the checkpoint {NO_PROJECTION}')
    for key in [key for key in state_dict if not key.startswith(('backbone.', 'neck.'))]:
        del state_dict[key]
