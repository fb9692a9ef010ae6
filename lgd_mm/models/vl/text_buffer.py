"""Words that a network was trained with travel in its checkpoint, which fits no others."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lgd_mm.errors import UserError


class TextBuffer(nn.Module):
    """Lines of text as bytes, a buffer that every format of checkpoints can hold.

    Args:
        lines (Sequence[str]): Word pieces or answers.
        what (str): Which of them, for messages.
    """

    content: Tensor

    def __init__(self, lines: Sequence[str], what: str) -> None:
        super().__init__()
        self.what = what
        self.register_buffer('content', torch.frombuffer(bytearray('\n'.join(lines).encode()), dtype=torch.uint8))

    @property
    def lines(self) -> list[str]:
        """The text."""
        return self.content.cpu().numpy().tobytes().decode().split('\n')

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        found = state_dict.get(prefix + 'content')
        if found is not None and not torch.equal(found.cpu(), self.content.cpu()):
            raise UserError(f'the checkpoint was trained with other {self.what} than those of the config '
                            f'({len(found)} bytes of text, and {len(self.content)}): give the file that it was trained '
                            'with')
        super()._load_from_state_dict(state_dict, prefix, *args)
