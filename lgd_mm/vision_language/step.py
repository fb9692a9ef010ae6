"""The step of a student that other runtimes are given: all tokens in, hidden states and logits out."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from lgd_mm.console.words import first_line
from lgd_mm.errors import UserError
from lgd_mm.vision_language.about import CAPTIONS
from lgd_mm.vision_language.student import Student

#: Texts of a batch to trace with.
TRACED = 2


class Step(nn.Module):
    """A student's transformer and the head of its task.

    Args:
        student (Student): Of captions or answers.
    """

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.model: Any = student.model
        self.captions = student.about.model.task.type == CAPTIONS

    def forward(self, text: Tensor, tags: Tensor, regions: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden states of all tokens (B, T, d); logits of the words at the places of the text (B, a, V), each of which
        sees its past, tags and regions, or of the answers (B, A)."""
        hidden = self.model.encode(dict(text=text, tags=tags, regions=regions, valid=valid)).hidden
        if self.captions:
            return hidden, self.model.task.words(hidden[:, :text.shape[1]])
        return hidden, self.model.task.answers(hidden)

    @torch.no_grad()
    def outputs(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The same by their names."""
        return dict(zip(('hidden', 'logits'), self(**inputs)))


def sample_inputs(student: Student, size: int) -> dict[str, Tensor]:
    """Inputs that look like some: texts and regions of any length, always the same.

    Args:
        student (Student): The student.
        size (int): B.

    Returns:
        dict[str, Tensor]: ``text`` (B, a) and ``tags`` (B, b), int64, ``regions`` (B, r, F), float32, and ``valid``
        (B, a + b + r), bool.
    """
    draws = torch.Generator().manual_seed(size)
    lengths, words = student.sequences.lengths, len(student.sequences.vocabulary)
    used = [torch.randint(min(1, length), length + 1, (size, 1), generator=draws) for length in lengths]
    present = [torch.arange(length) < count for length, count in zip(lengths, used)]
    text, tags = (torch.randint(words, each.shape, generator=draws) * each for each in present[:2])
    regions = torch.rand(size, lengths.regions, student.about.model.transformer.region_width, generator=draws)
    return dict(text=text, tags=tags, regions=regions * present[2][..., None], valid=torch.cat(present, dim=1))


def trace(student: Student) -> ExportedProgram:
    """Trace the step of a student, for any number of texts.

    Raises:
        UserError: If torch.export cannot follow it.
    """
    batch = Dim('batch')
    inputs = sample_inputs(student, TRACED)
    try:
        return torch.export.export(Step(student).eval(), (), inputs,
                                   dynamic_shapes={name: {0: batch} for name in inputs})
    except Exception as error:  # whatever a network makes it raise
        raise UserError(f'torch.export cannot trace {student.path}: {first_line(error)}: export it to safetensors'
                        ) from error
