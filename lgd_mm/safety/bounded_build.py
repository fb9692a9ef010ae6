"""A network that a file describes is built only as far as the file's own weights can fill it."""

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.registry import MODELS, DefaultScope
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._device import _device_constructors
from torch.utils._pytree import tree_flatten, tree_map_only

from lgd_mm.console.words import first_line
from lgd_mm.errors import UserError

#: How much more than the file holds a network may ask for while it is built: values, and tensors. Some make tables of
#: their positions, or parts that they throw away.
VALUES, TENSORS = 16, 64
#: Free for every network.
FREE_VALUES, FREE_TENSORS = 2**26, 2**10


@contextmanager
def bounded_build(weights: Iterable[Any], source: object) -> Iterator[None]:
    """Refuse a network that grows far beyond the weights that are to fill it, before there is room for it.

    A file of a kilobyte may describe a network of a terabyte.

    Args:
        weights (Iterable): The file's; what is no tensor counts for nothing.
        source (object): The file, for the message.

    Raises:
        UserError: If the network is too large.
    """
    tensors = [value for value in weights if isinstance(value, Tensor)]
    held = sum(value.numel() for value in tensors)
    with _Bound(VALUES * held + FREE_VALUES, TENSORS * len(tensors) + FREE_TENSORS, f'{source} describes a network '
                f'far larger than the {held:,} values in it: the file is damaged or of another program'):
        yield


def check_network(network: Mapping[str, Any], scope: str, weights: Any, source: object) -> nn.Module:
    """Build a network that a file describes, as far as the weights go, before something builds whatever is asked.

    Args:
        network (Mapping[str, Any]): Its config, of parts that were checked.
        scope (str): Where its types are looked up.
        weights (Any): A state dict; what is none allows little.
        source (object): The file, for messages.

    Returns:
        nn.Module: Without those weights.

    Raises:
        UserError: If it is too large, or cannot be built.
    """
    try:
        with DefaultScope.overwrite_default_scope(scope), \
                bounded_build(weights.values() if isinstance(weights, Mapping) else (), source):
            built: nn.Module = MODELS.build(copy.deepcopy(network))
    except (ArithmeticError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        reason = first_line(error)
        raise UserError(f'{source} describes a network that cannot be built ({reason}): give the folder of a run as '
                        'it was left by this version of the libraries') from error
    return built


class _Bound(TorchFunctionMode):
    """Looks at the size of what is made before it is made."""

    def __init__(self, values: int, tensors: int, sentence: str) -> None:
        super().__init__()
        self.values, self.tensors, self.sentence = values, tensors, sentence

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (),
                           kwargs: dict[str, Any] | None = None) -> Any:
        kwargs = kwargs or {}
        if func in _device_constructors():
            if func is not torch.tensor and func is not torch.as_tensor:  # of values that are there
                self.count(self.size(func, args, {**kwargs, 'device': 'meta'}))
        else:
            given = [value for value in tree_flatten((args, kwargs))[0] if isinstance(value, Tensor)]
            if given and math.prod(value.numel() for value in given) > FREE_VALUES or func in GROWING:
                self.count(self.size(func, *tree_map_only(Tensor, lambda value: value.to('meta'), (args, kwargs))))
        return func(*args, **kwargs)

    def size(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
        """Values of what would be made; nothing is."""
        with torch._C.DisableTorchFunction():
            try:
                made = func(*args, **kwargs)
            except (NotImplementedError, RuntimeError, TypeError):  # it has no size: the function itself tells why
                return 0
        return sum(value.numel() for value in tree_flatten(made)[0] if isinstance(value, Tensor))

    def count(self, size: int) -> None:
        """Count one more tensor."""
        self.values -= size
        self.tensors -= 1
        if self.values < 0 or self.tensors < 0:
            raise UserError(self.sentence)


#: Make more of little without making a tensor from nothing.
GROWING = (Tensor.repeat, Tensor.repeat_interleave, torch.repeat_interleave, Tensor.new_zeros, Tensor.new_ones,
           Tensor.new_empty, Tensor.new_full, Tensor.tile, torch.tile, torch.nn.functional.pad,
           torch.nn.functional.one_hot, torch.nn.functional.interpolate)
