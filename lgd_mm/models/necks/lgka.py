"""Language-Guided Knowledge Aggregation: the textual and the visual semantics bank."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.language import Vocabulary, category_names, prompt_templates, textual_bank
from lgd_mm.models.necks.bank_update import begin_update
from lgd_mm.registry import MODELS

#: Similarity that stands for "not in the softmax": its exponential is 0 at any temperature in use, and unlike -inf it
#: leaves 0 * log(0) finite.
MASKED = -1e4

#: A student's and a teacher's similarities to the same bank.
Pair = tuple[Tensor, Tensor]


class TextEncoder(Protocol):
    """What LGKA needs of a teacher."""

    embed_dim: int
    fingerprint: str

    def encode_text(self, texts: list[str]) -> Tensor:
        """Embed N texts as (N, D)."""


def check_text(teacher: Any) -> None:
    """See that a teacher can encode names.

    Args:
        teacher (Any): For a textual bank.

    Raises:
        UserError: If it has no text tower.
    """
    if not hasattr(teacher, 'encode_text'):
        raise UserError(f'lgd_mm.{type(teacher).__name__} knows no text, which names need: take an '
                        'lgd_mm.OpenCLIPTeacher, or leave out what needs names')


@MODELS.register_module()
class LGKA(BaseModule):
    """Sorts the teacher's image features into language categories and averages them into a visual bank (paper, Sec. 3).

    The banks, the counts of pseudo labels and the category names are buffers: they travel in the checkpoint.

    Args:
        categories (str | list[str]): Whatever :func:`lgd_mm.language.category_names` takes.
        teacher (TextEncoder): Encodes the names; sets the width D of both banks.
        templates (str | list[str], optional): Prompt templates with one ``{}`` each, or a text file of them. Defaults
            to None: OpenAI's 80.
        momentum (float): Of a visual bank row, once seen. Defaults to 0.999.
        positive_column (bool): Put the similarity to the sample's own teacher feature before the visual bank's, as the
            published code does. Defaults to True.
        normalize_visual_bank (bool): Bring updated rows back to unit length. Defaults to False.
        mask_unseen (bool): Leave rows no teacher feature has reached out of the visual softmax. Defaults to False.
        init_cfg (dict, optional): As in mmengine. Defaults to None.

    Raises:
        UserError: If the names, templates or momentum cannot be used.
    """

    textual_bank: Tensor
    visual_bank: Tensor
    counts: Tensor
    vocabulary: Tensor

    def __init__(self,
                 categories: str | Sequence[str],
                 teacher: TextEncoder,
                 templates: str | Sequence[str] | None = None,
                 momentum: float = 0.999,
                 positive_column: bool = True,
                 normalize_visual_bank: bool = False,
                 mask_unseen: bool = False,
                 init_cfg: dict[str, Any] | None = None) -> None:
        super().__init__(init_cfg)
        if not 0 <= momentum <= 1:
            raise UserError(f'model.lgka.momentum is {momentum}: it must lie in [0, 1]')
        self.momentum = momentum
        self.positive_column = positive_column
        self.normalize_visual_bank = normalize_visual_bank
        self.mask_unseen = mask_unseen

        check_text(teacher)
        vocabulary = Vocabulary(tuple(category_names(categories)), tuple(prompt_templates(templates)))
        bank = textual_bank(teacher.encode_text, vocabulary, cache_key=teacher.fingerprint)
        if bank.shape[1] != teacher.embed_dim:
            raise UserError(f'the teacher embeds texts in {bank.shape[1]} and images in {teacher.embed_dim} '
                            'dimensions: set model.teacher to a model with one joint space')
        self.register_buffer('textual_bank', bank)  # (C, D)
        self.register_buffer('visual_bank', F.normalize(torch.randn(bank.shape), dim=1))  # (C, D), unit noise
        self.register_buffer('counts', torch.zeros(len(bank), dtype=torch.int64))  # (C, ), pseudo labels so far
        self.register_buffer('vocabulary', vocabulary.to_tensor())

    @property
    def seen(self) -> Tensor:
        """Categories that a teacher feature has reached (C, ), bool."""
        return self.counts > 0

    def textual_similarity(self, embedding: Tensor) -> Tensor:
        """Cosine similarities to the textual bank, in float32.

        Args:
            embedding (Tensor): (B, D), any length.

        Returns:
            Tensor: (B, C).
        """
        with torch.autocast(embedding.device.type, enabled=False):
            return F.normalize(embedding.float(), dim=1) @ self.textual_bank.T

    def forward(self, student: Tensor, teacher: Tensor) -> tuple[Pair, Pair]:
        """Compare both embeddings with both banks, in float32 also under autocast.

        In training, the teacher's features are summed as soon as the backward pass has left this module, travel between
        the processes while it goes through the backbone, and have moved the visual bank when it ends: the losses see
        the bank before the step. So each forward pass needs its backward pass before the next one, as in mmengine's
        loops, gradient accumulation included.

        Args:
            student (Tensor): Student embeddings (B, D), any length.
            teacher (Tensor): Teacher embeddings (B, D), any length, without gradient.

        Returns:
            tuple[Pair, Pair]: Student and teacher similarities to the textual bank, each (B, C), and to the visual
            bank, each (B, C) or with the positive column in front (B, 1 + C).
        """
        with torch.autocast(student.device.type, enabled=False):
            student = F.normalize(student.float(), dim=1)
            teacher = F.normalize(teacher.float(), dim=1)
            textual = student @ self.textual_bank.T, teacher @ self.textual_bank.T
            visual = self._visual_similarity(student, teacher), self._visual_similarity(teacher, teacher)

        if self.training and student.requires_grad:
            pseudo_labels = textual[1].argmax(dim=1)  # (B, )
            student.register_hook(lambda grad: after_backward(self.begin_update(teacher, pseudo_labels)))
        return textual, visual

    def _visual_similarity(self, embedding: Tensor, teacher: Tensor) -> Tensor:
        """Similarities of unit embeddings (B, D) to the own teacher feature (optional) and to the visual bank."""
        similarity = embedding @ self.visual_bank.T  # (B, C)
        if self.mask_unseen:
            similarity = similarity.masked_fill(~self.seen, MASKED)
        if self.positive_column:
            positive = (embedding * teacher).sum(dim=1, keepdim=True)  # (B, 1)
            similarity = torch.cat([positive, similarity], dim=1)
        return similarity

    @torch.no_grad()
    def begin_update(self, teacher: Tensor, pseudo_labels: Tensor) -> Callable[[], None]:
        """Begin to move each category of the global batch to the mean of its teacher features (paper, Sec. 3).

        Args:
            teacher (Tensor): Unit teacher features (B, D) of this process.
            pseudo_labels (Tensor): Their categories (B, ).

        Returns:
            Callable[[], None]: Ends the update, see :func:`lgd_mm.models.necks.bank_update.begin_update`.
        """
        return begin_update(self.visual_bank, self.counts, teacher, pseudo_labels, self.momentum,
                            self.normalize_visual_bank)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Refuse the banks of other category names or templates, or of a teacher of another width."""
        names = f'model.{prefix or "lgka."}'.replace('.dense.lgka.', '.dense.')  # DenseGuidance hands its own on
        stored = state_dict.get(prefix + 'vocabulary')
        if stored is not None:
            theirs, ours = Vocabulary.from_tensor(stored), Vocabulary.from_tensor(self.vocabulary)
            if theirs.digest != ours.digest:
                raise UserError(f'the checkpoint was trained with other category names: {ours.difference(theirs)}; '
                                f'set {names}categories and {names}templates as they were, or start anew')
        bank = state_dict.get(prefix + 'textual_bank')
        if bank is not None and bank.shape != self.textual_bank.shape:
            raise UserError(f'the checkpoint holds banks of width {bank.shape[1]}, but the teacher embeds in '
                            f'{self.textual_bank.shape[1]} dimensions: set model.teacher as it was, or start anew')
        # The same names through the same text tower differ by rounding alone.
        if bank is not None and not torch.allclose(bank.cpu(), self.textual_bank.cpu(), atol=1e-3):
            raise UserError('the checkpoint was trained with another teacher, its textual bank differs: set '
                            'model.teacher as it was, or start anew')
        if prefix + 'seen' in state_dict:  # of versions that did not count
            state_dict[prefix + 'counts'] = state_dict.pop(prefix + 'seen').long()
        super()._load_from_state_dict(state_dict, prefix, *args)


def after_backward(callback: Callable[[], None]) -> None:
    """Call back at the end of the backward pass that is going on."""
    torch.autograd.Variable._execution_engine.queue_callback(callback)
