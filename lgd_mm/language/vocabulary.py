"""Category names and templates as one value that travels in checkpoints."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lgd_mm.console.words import some
from lgd_mm.errors import UserError
from lgd_mm.io.texts import parse_json

#: Bytes of the names and templates: 300,000 names take ten million.
LONGEST = 2**26


@dataclass(frozen=True)
class Vocabulary:
    """What the textual bank was made of.

    Args:
        categories (tuple[str, ...]): C cleaned names.
        templates (tuple[str, ...]): K templates with one ``{}`` each.
    """

    categories: tuple[str, ...]
    templates: tuple[str, ...]

    @property
    def json(self) -> bytes:
        """Canonical JSON, UTF-8."""
        content = dict(categories=list(self.categories), templates=list(self.templates))
        return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(',', ':')).encode()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, in hex."""
        return hashlib.sha256(self.json).hexdigest()

    def to_tensor(self) -> Tensor:
        """The canonical JSON as bytes (N, ), uint8: a buffer that every checkpoint format can hold."""
        return torch.frombuffer(bytearray(self.json), dtype=torch.uint8)

    @classmethod
    def from_tensor(cls, tensor: Tensor) -> 'Vocabulary':
        """Undo :meth:`to_tensor`.

        Raises:
            UserError: If it is of something else: a checkpoint may hold anything.
        """
        if tensor.dtype != torch.uint8 or tensor.dim() != 1 or tensor.is_meta or len(tensor) > LONGEST:
            raise UserError(f'the category names of a checkpoint are a {tensor.dtype} of shape {tuple(tensor.shape)}, '
                            'and should be bytes: the file is damaged or of another program')
        content = parse_json(tensor.cpu().numpy().tobytes(), 'the category names of a checkpoint')
        parts: list[Any] = [content.get(key) if isinstance(content, dict) else None
                            for key in ('categories', 'templates')]
        if not all(isinstance(part, list) and all(isinstance(text, str) for text in part) for part in parts):
            raise UserError('the category names of a checkpoint are no lists of names and templates: the file is '
                            'damaged or of another program')
        return cls(tuple(parts[0]), tuple(parts[1]))

    def difference(self, other: 'Vocabulary') -> str:
        """Say in one sentence what ``other`` has differently.

        Args:
            other (Vocabulary): The one found, where this one was expected.

        Returns:
            str: Names or templates of one side only, or their order; ``'no difference'`` if they are equal.
        """
        found = [
            _difference(kind, mine, theirs)
            for kind, mine, theirs in (('names', self.categories, other.categories),
                                       ('templates', self.templates, other.templates)) if mine != theirs
        ]
        return ' and '.join(found) or 'no difference'


def _difference(kind: str, mine: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    only_mine, only_theirs = set(mine) - set(theirs), set(theirs) - set(mine)
    if not only_mine and not only_theirs and len(mine) == len(theirs):
        first = next(index for index, pair in enumerate(zip(mine, theirs)) if pair[0] != pair[1])
        return (f'the same {len(mine)} {kind} in another order (number {first + 1} is {theirs[first]!r}, '
                f'not {mine[first]!r})')
    count = f'{len(theirs)} {kind} instead of {len(mine)}' if len(theirs) != len(mine) else f'other {kind}'
    return (f'{count} ({_some(mine, only_mine)} only here, '
            f'{_some(theirs, only_theirs)} only there)')


def _some(ordered: tuple[str, ...], members: set[str]) -> str:
    names = [repr(name) for name in ordered if name in members]
    return some(names) or 'none'
