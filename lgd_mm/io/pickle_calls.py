"""What a pickle of torch would call, looked at before torch calls it.

torch's restricted loader knows what may be called, but not with what: ``bytearray(3 * 2**30)`` is a hundred bytes of a
file, and a tensor larger than its storage makes the storage grow. Here the pickle is gone through with stand-ins that
do nothing but look at their arguments.
"""

import math
import pickle
import re
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from collections.abc import Callable, Mapping
from typing import IO, Any, NamedTuple

from lgd_mm.errors import DataError, UserError

#: What makes much of few numbers, or goes through what it is given: the one argument that each may have.
TAKES: Mapping[str, type | tuple[type, ...]] = {
    'builtins.bytearray': (str, bytes), 'builtins.set': list, 'torch.Size': (tuple, list),
    'collections.Counter': dict, 'collections.OrderedDict': (list, dict)}
#: Called without arguments: what they hold is set afterwards.
BARE = re.compile(r'torch\.(?:\w+\.)*\w*(?:Tensor|Storage)|numpy\.ndarray|mmengine\..*HistoryBuffer')
#: Tensors that hold other values than those of their storage, or none.
ODD_TENSORS = re.compile(r'torch\._utils\._rebuild_(?:sparse|nested|meta|wrapper|device|xla|q)\w*')
#: Tensors of a storage, an offset, a size and a stride.
TENSORS = ('torch._utils._rebuild_tensor', 'torch._utils._rebuild_tensor_v2', 'torch._utils._rebuild_tensor_v3')
#: Types of numpy's values, of which only texts are long.
DTYPE = re.compile(r'[<>|=]?[?a-zA-Z]\d{0,6}')
LARGEST_DTYPE = 10**6


class Storage(NamedTuple):
    """Values of a file.

    Attributes:
        values (int): Their number.
        itemsize (int): Bytes of one.
    """

    values: int
    itemsize: int


class Calls(pickle._Unpickler):  # of Python, as torch's: the other takes memory by index
    """Goes through one pickle.

    Args:
        file (IO): Which gives no more than it has, whatever is asked for.
        name (str): The file, for messages.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        super().__init__(file, encoding='utf-8')
        self.name = name
        #: Bytes by the keys of storages.
        self.storages: dict[Any, int] = {}

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in, by the name that torch reads: Python 2's are those of Python 3."""
        module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        return stand_in(f'{module}.{name}', self.refuse)

    def persistent_load(self, pid: Any) -> Any:
        """A storage, by its type, key, device and number of values."""
        if isinstance(pid, tuple) and pid and pid[0] == 'module':  # a whole network, which its class is refused for
            return pid[1]
        if not isinstance(pid, tuple) or len(pid) < 5 or type(pid[4]) is not int or pid[4] < 0:
            raise ValueError('a storage without a size')
        storage = Storage(pid[4], _itemsize(pid[1]))
        self.storages[pid[2]] = max(self.storages.get(pid[2], 0), storage.values * storage.itemsize)
        return storage

    def refuse(self, what: str) -> UserError:
        return DataError(f'{self.name} {what}')


def stand_in(path: str, refuse: Callable[[str], UserError]) -> Any:
    """A class that stands for what a pickle names.

    Args:
        path (str): Its full name.
        refuse (Callable): Gives what is raised, of a reason.
    """

    def look(cls: type, *args: Any) -> Any:
        return _text(args, refuse) if path == '_codecs.encode' else _call(cls, path, args, refuse)

    def build(self: Any, state: Any) -> None:
        _build(path, state, refuse)

    return type('StandIn', (), dict(
        path=path, __new__=look, __init__=lambda self, *args: None, __setstate__=build,
        __setitem__=lambda self, key, value: None, append=_nothing, extend=_nothing, add=_nothing))


def _nothing(self: Any, value: Any) -> None:
    """What a container would keep."""


def _text(args: tuple[Any, ...], refuse: Callable[[str], UserError]) -> bytes:
    """Bytes, which pickles of torch hold as texts; other encodings take long, or make much of little."""
    if len(args) != 2 or not isinstance(args[0], str) or args[1] not in ('latin1', 'latin-1'):
        raise refuse('is no checkpoint, it encodes a text as no pickle does: name a file saved by training')
    return args[0].encode('latin1')


def _call(cls: type, path: str, args: tuple[Any, ...], refuse: Callable[[str], UserError]) -> Any:
    """Look at a call, which would run once torch reads the file."""
    if path == 'torch._tensor._rebuild_from_type_v2':
        args[0](*args[2])
    elif ODD_TENSORS.fullmatch(path):
        raise refuse('holds a tensor that is sparse, nested, quantised or without values: save the weights as plain '
                     'tensors (tensor.to_dense())')
    elif path in TENSORS:
        storage, offset, size, stride = args[:4]
        _check_tensor(storage, offset, size, stride, args[6] if len(args) > 6 else None, refuse)
    elif (path in TAKES and not (len(args) == 1 and isinstance(args[0], TAKES[path]) or not args)
            and not (path == 'builtins.bytearray' and len(args) == 2 and isinstance(args[0], str))
            ) or (BARE.fullmatch(path) and args):
        raise refuse(f'is no checkpoint, {path} in it is to be made of what no file saves: name a file saved by '
                     'training')
    elif path.startswith('numpy'):
        _check_array(path, args, refuse)
    return object.__new__(cls)


def _check_tensor(storage: Any, offset: Any, size: Any, stride: Any, dtype: Any,
                  refuse: Callable[[str], UserError]) -> None:
    """See that a tensor lies within its storage, which would grow otherwise."""
    if not isinstance(storage, Storage) or len(size) != len(stride) or not all(
            type(number) is int and number >= 0 for number in (offset, *size, *stride)):
        raise ValueError('a tensor without a storage')
    end = offset + sum((count - 1) * step for count, step in zip(size, stride)) + 1
    if math.prod(size) and end * _itemsize(dtype, storage.itemsize) > storage.values * storage.itemsize:
        raise refuse('holds tensors of more values than it has room for: save them anew')


def _check_array(path: str, args: tuple[Any, ...], refuse: Callable[[str], UserError]) -> None:
    name = path.rpartition('.')[2]
    if (name == 'dtype' and not (args and isinstance(args[0], str) and DTYPE.fullmatch(args[0]))
            or name == 'scalar' and len(args) != 2
            or name == '_reconstruct' and (len(args) != 3 or args[1] != (0, ))):
        raise refuse(f'is no checkpoint, {path} in it is to be made of what no file saves: name a file saved by '
                     'training')


def _build(path: str, state: Any, refuse: Callable[[str], UserError]) -> None:
    """Look at what an object is filled with."""
    odd = BARE.fullmatch(path) and path.startswith('torch') or path == 'torch.nn.parameter.Parameter'
    if path.startswith('numpy') and isinstance(state, tuple):
        if path.endswith('.dtype'):
            odd = any(isinstance(item, int) and item > LARGEST_DTYPE or isinstance(item, (tuple, dict, list)) and item
                      for item in state)
        else:
            shape, data = (state[1], state[4]) if len(state) == 5 else ((1, ), ())
            odd = math.prod(shape) > (len(data) if isinstance(data, (bytes, list)) else 0)
    if odd:
        raise refuse(f'is no checkpoint, {path} in it is filled with what no file saves: name a file saved by training')


def _itemsize(kind: Any, default: int = 1) -> int:
    """Bytes of one value, of the name of a type or of a storage."""
    import torch
    name = getattr(kind, 'path', '').rpartition('.')[2]
    dtype = getattr(torch, name, None)
    if name.endswith('Storage') and name not in ('TypedStorage', 'UntypedStorage'):
        dtype = torch.serialization.StorageType(name).dtype
    return dtype.itemsize if isinstance(dtype, torch.dtype) else default
