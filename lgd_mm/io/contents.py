"""What was read from a file of weights: no more than the file holds, and of an end."""

from typing import Any

from lgd_mm.errors import DataError, UserError

#: How often the values of a file may be shared, as tied weights are; and what lists and dicts hold, with what is free.
VIEWS = 16
FREE = 2**20
#: The deepest nesting.
DEEPEST = 100
CONTAINERS = (dict, list, tuple, set)


def check_contents(content: Any, path: str) -> None:
    """Raise of what would grow beyond the file, or never end.

    Args:
        content (Any): As it was read.
        path (str): The file, for messages.

    Raises:
        UserError: If a tensor claims values that the file does not hold (without data, sparse, or one value expanded),
            if a list or dict contains itself, is nested without end, or stands in many places.
    """
    import numpy as np
    import torch

    tensors = _Tensors(path)
    heights: dict[int, int] = {}
    places: dict[int, int] = {}  # how many items it holds, when those in several places count for each
    entered: set[int] = set()
    items, stack = 0, [content]
    while stack:
        item = stack[-1]
        if isinstance(item, torch.Tensor):
            tensors.check(item)
        elif isinstance(item, np.ndarray) and item.size and not item.nbytes:
            raise DataError(f'{path} holds an array of {item.size:,} values without any: save it anew')
        if not isinstance(item, CONTAINERS) or id(item) in heights:
            stack.pop()
            continue
        parts = list(item.values() if isinstance(item, dict) else item)
        if id(item) in entered:
            stack.pop()
            heights[id(item)] = 1 + max((heights.get(id(part), 0) for part in parts), default=0)
            places[id(item)] = sum(places.get(id(part), 1) for part in parts)
            items += len(parts)
        else:
            entered.add(id(item))
            parts = [part for part in parts if isinstance(part, (*CONTAINERS, torch.Tensor, np.ndarray))
                     and id(part) not in heights]
            if any(id(part) in entered for part in parts):
                raise _endless(path, 'contains itself')
            stack += parts
        if len(entered) - len(heights) > DEEPEST or heights.get(id(item), 0) > DEEPEST:
            raise _endless(path, f'lies more than {DEEPEST} deep')
    if places.get(id(content), 0) > FREE + VIEWS * items:
        raise _endless(path, 'stands in too many places')


def _endless(path: str, what: str) -> UserError:
    return DataError(f'{path} is not a checkpoint, a list or dict in it {what}: name a file saved by training')


class _Tensors:
    """Compares the values that tensors claim with those of the file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.claimed = self.held = 0
        self.seen: set[int] = set()

    def check(self, tensor: Any) -> None:
        """Raise of one without data, sparse, or expanded."""
        import torch
        if tensor.layout != torch.strided or tensor.is_nested or tensor.is_meta:
            raise DataError(f'{self.path} holds a tensor that is sparse, nested or without values: save the weights as '
                            'plain tensors (tensor.to_dense())')
        storage = tensor.untyped_storage()
        size = tensor.numel() * tensor.element_size()
        if storage.data_ptr() not in self.seen:
            self.seen.add(storage.data_ptr())
            self.held += storage.nbytes()
        self.claimed += size
        if size > storage.nbytes() or self.claimed > VIEWS * self.held:
            raise DataError(f'{self.path} holds tensors of more values than it has room for, as by expand(): save '
                            'them with clone()')
