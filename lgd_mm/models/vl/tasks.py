"""What a model of vision and language is trained for: masked words and matching, captions, answers."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lgd_mm.language.answers import read_answers
from lgd_mm.models.common import check_number
from lgd_mm.models.losses import weighted_mean
from lgd_mm.models.vl.generate import generate
from lgd_mm.models.vl.heads import SentenceHead, WordHead
from lgd_mm.models.vl.masks import bidirectional_mask, seq2seq_mask
from lgd_mm.models.vl.text_buffer import TextBuffer
from lgd_mm.models.vl.transformer import VLTransformer
from lgd_mm.registry import MODELS

#: Word that is no target.
IGNORED = -100


class Labels(NamedTuple):
    """Logits that a teacher has of the same things.

    Attributes:
        logits (Tensor): (N, C).
        valid (Tensor): Which rows count: bool (N, ).
    """

    logits: Tensor
    valid: Tensor


class MaskedWords(nn.Module):
    """Words told from their neighbours: what pre-training and captioning share.

    Args:
        transformer (VLTransformer): Whose words they are.
        label_smoothing (float): Of their cross entropy.

    Attributes:
        classes (list[str], optional): What logits are of. None: the word pieces.
    """

    classes: list[str] | None = None

    def __init__(self, transformer: VLTransformer, label_smoothing: float) -> None:
        super().__init__()
        check_number('model.task.label_smoothing', label_smoothing, most=1)
        self.words, self.label_smoothing = WordHead(transformer.words), label_smoothing

    def labels(self, hidden: Tensor, targets: dict[str, Tensor]) -> Labels:
        """Logits of the masked words.

        Args:
            hidden (Tensor): (B, T, d).
            targets (dict[str, Tensor]): ``masked`` (B, M), the places of masked words, and ``words`` (B, M), what
                stood there; -100 where a text has fewer.
        """
        places = targets['masked'][..., None].expand(-1, -1, hidden.shape[2])
        return Labels(self.words(hidden.gather(1, places)).flatten(0, 1), (targets['words'] != IGNORED).flatten())

    def word_loss(self, labels: Labels, targets: dict[str, Tensor]) -> Tensor:
        """Mean over the masked words of all processes."""
        losses = F.cross_entropy(labels.logits.float(), targets['words'].flatten(), ignore_index=IGNORED,
                                 reduction='none', label_smoothing=self.label_smoothing)
        return weighted_mean(losses, labels.valid.float())


@MODELS.register_module()
class VLPretraining(MaskedWords):
    """Masked words, and whether the tags are those of the image (`arXiv:2004.06165
    <https://arxiv.org/abs/2004.06165>`_, Sec. 4; MiniVLM's form).

    Args:
        transformer (VLTransformer): Of the model.
        seq2seq (bool): Words see their own past alone, as captioning will have it. Defaults to False.
    """

    def __init__(self, transformer: VLTransformer, seq2seq: bool = False) -> None:
        super().__init__(transformer, label_smoothing=0.)
        self.matching, self.seq2seq = SentenceHead(transformer.width, 2), seq2seq

    def mask(self, valid: Tensor, text: int) -> Tensor:
        """Which tokens see which, see :mod:`lgd_mm.models.vl.masks`."""
        return seq2seq_mask(valid, text) if self.seq2seq else bidirectional_mask(valid)

    def loss(self, hidden: Tensor, labels: Labels, targets: dict[str, Tensor]) -> dict[str, Tensor]:
        """``loss_words`` and ``loss_matching``.

        Args:
            hidden (Tensor): (B, T, d).
            labels (Labels): Those of :meth:`labels`.
            targets (dict[str, Tensor]): As of :meth:`labels`, with ``matching`` (B, ): 1 where the tags are the
                image's.
        """
        matching = F.cross_entropy(self.matching(hidden).float(), targets['matching'])
        return dict(loss_words=self.word_loss(labels, targets), loss_matching=matching)


@MODELS.register_module()
class VLCaptioning(MaskedWords):
    """A caption, learnt by masked words that see their own past alone.

    Args:
        transformer (VLTransformer): Of the model.
        label_smoothing (float): Defaults to 0.1.
        longest (int): Word pieces that a caption has at most. Defaults to 20.
        beams (int): Captions that are followed at a time. Defaults to 1: the likeliest word each time.
    """

    def __init__(self, transformer: VLTransformer, label_smoothing: float = 0.1, longest: int = 20,
                 beams: int = 1) -> None:
        super().__init__(transformer, label_smoothing)
        self.longest, self.beams = longest, beams

    def mask(self, valid: Tensor, text: int) -> Tensor:
        """Which tokens see which, see :mod:`lgd_mm.models.vl.masks`."""
        return seq2seq_mask(valid, text)

    def loss(self, hidden: Tensor, labels: Labels, targets: dict[str, Tensor]) -> dict[str, Tensor]:
        """``loss_words``; arguments are those of :meth:`VLPretraining.loss`."""
        return dict(loss_words=self.word_loss(labels, targets))

    def predict(self, model: Any, inputs: dict[str, Tensor]) -> tuple[str, list[str]]:
        """``pred_caption`` of each image, see :func:`lgd_mm.models.vl.generate.generate`."""
        written = generate(model, inputs, model.pieces.special, self.longest, self.beams)
        return 'pred_caption', [model.pieces.text(words) for words in written.words.tolist()]


@MODELS.register_module()
class VLAnswering(nn.Module):
    """An answer to a question, one of a list (`arXiv:1708.02711 <https://arxiv.org/abs/1708.02711>`_, Sec. 3.5).

    Args:
        transformer (VLTransformer): Of the model.
        answers (str | Sequence[str]): File with an answer on each line, or the answers; they travel in the checkpoint.
        dropout (float): Before the last matrix. Defaults to 0.3.

    Attributes:
        classes (list[str]): What logits are of: the answers.
    """

    def __init__(self, transformer: VLTransformer, answers: str | Sequence[str], dropout: float = 0.3) -> None:
        super().__init__()
        self.names = TextBuffer(read_answers(answers) if isinstance(answers, str) else answers, 'answers')
        self.classes = self.names.lines
        self.answers = SentenceHead(transformer.width, len(self.classes), dropout)

    def mask(self, valid: Tensor, text: int) -> Tensor:
        """Which tokens see which, see :mod:`lgd_mm.models.vl.masks`."""
        return bidirectional_mask(valid)

    def labels(self, hidden: Tensor, targets: dict[str, Tensor] | None = None) -> Labels:
        """Logits of the answers (B, A); arguments are those of :meth:`MaskedWords.labels`."""
        logits = self.answers(hidden)
        return Labels(logits, torch.ones(len(logits), dtype=torch.bool, device=logits.device))

    def loss(self, hidden: Tensor, labels: Labels, targets: dict[str, Tensor]) -> dict[str, Tensor]:
        """``loss_answers``: binary cross entropy, summed over the answers.

        Args:
            hidden (Tensor): (B, T, d).
            labels (Labels): Those of :meth:`labels`.
            targets (dict[str, Tensor]): ``answers`` (B, A): how right each is, from 0 to 1.
        """
        losses = F.binary_cross_entropy_with_logits(labels.logits.float(), targets['answers'], reduction='none')
        return dict(loss_answers=losses.sum(dim=1).mean())

    def predict(self, model: Any, inputs: dict[str, Tensor]) -> tuple[str, list[str]]:
        """``pred_answer``: the likeliest answer to each question."""
        best = self.answers(model.encode(inputs).hidden).argmax(dim=1)
        return 'pred_answer', [self.classes[index] for index in best.tolist()]
