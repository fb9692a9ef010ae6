"""Names that a text tower cannot tell apart have the same row of the bank: no student learns the difference."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from lgd_mm.console import words
from lgd_mm.errors import UserError

#: Two unit embeddings of the same tokens lie nearer, on any device; of other tokens, further apart.
SAME = 1e-4


def check_rows(bank: Tensor, names: Sequence[str]) -> None:
    """See whether each name has a row of its own.

    Args:
        bank (Tensor): Textual bank (C, D), rows of unit length.
        names (Sequence[str]): C names.

    Raises:
        UserError: If a row is empty or no number, or several are the same; names them.
    """
    empty = [names[index] for index in (~(bank.norm(dim=1) > 0.5)).nonzero().flatten().tolist()]
    if empty:
        raise UserError(f'the text tower gives no embedding of {some(empty)}: its weights are damaged, so fetch them '
                        'again')
    groups = same_rows(bank)
    if groups:
        more = f', and {len(groups) - 1} more such groups' if len(groups) > 1 else ''
        raise UserError('these names are the same to the text tower of the teacher: '
                        f'{some([names[index] for index in groups[0]])}{more}; it reads only the beginning of a '
                        'prompt, and no case of letters, so rename them, or remove all but one of each')


def some(texts: Sequence[str]) -> str:
    """The first five, long ones by their beginning and end, where they may differ."""
    return words.some([repr(text if len(text) <= 80 else f'{text[:40]} ... {text[-30:]}') for text in texts])


def same_rows(bank: Tensor) -> list[list[int]]:
    """Groups of equal rows, or the first of them that are found.

    Equal rows lie beside each other along a few directions, so that each is compared with its neighbours, not with all.

    Args:
        bank (Tensor): Textual bank (C, D).

    Returns:
        list[list[int]]: Their numbers; empty if each row is another.
    """
    directions = torch.randn(bank.shape[1], 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    places = bank.double() @ F.normalize(directions, dim=0)  # (C, 8)
    order = places[:, 0].argsort()
    places = places[order]
    for step in range(1, len(bank)):
        apart = (places[step:] - places[:-step]).abs()
        if not (apart[:, 0] < SAME).any():
            break
        pairs = (apart < SAME).all(dim=1).nonzero().flatten()
        if len(pairs):
            return _joined(order[pairs].tolist(), order[pairs + step].tolist())
    return []


def _joined(left: list[int], right: list[int]) -> list[list[int]]:
    group_of: dict[int, list[int]] = {}
    for one, other in zip(left, right):
        group = group_of.setdefault(one, [one])
        group.append(other)
        group_of[other] = group
    return [sorted(group) for group in {id(group): group for group in group_of.values()}.values()]
