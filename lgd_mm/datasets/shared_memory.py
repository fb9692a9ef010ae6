"""The shared memory through which a loader's workers hand over their batches, where there is none left."""

import errno
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from mmengine.structures import BaseDataElement
from torch import Tensor
from torch.utils.data import get_worker_info

from lgd_mm.errors import ExhaustedError

#: How torch says that there is none, or that no file of that size may be.
WORDS = ('killed by signal: Bus error', 'out of shared memory', 'unable to allocate shared memory',
         'unable to resize file </torch', 'unable to open shared memory object')
Batch = TypeVar('Batch')


def is_exhausted(error: Exception) -> bool:
    """Whether an error says that shared memory is full.

    Args:
        error (Exception): Of a loader.
    """
    return any(words in str(error) for words in WORDS)


def shared(collate: Callable[[list[Any]], Any], items: list[Any]) -> Any:
    """A batch, whose tensors a worker moves to shared memory here, where a failure is told: the thread that does it
    otherwise only prints it, and everybody waits.

    Args:
        collate (Callable[[list[Any]], Any]): Makes the batch.
        items (list[Any]): Of the data set.
    """
    batch = collate(items)
    if get_worker_info() is not None:
        _share(batch)
    return batch


def _share(part: Any) -> None:
    if isinstance(part, Tensor):
        if part.numel():
            part.share_memory_()
    elif isinstance(part, Mapping):
        for value in part.values():
            _share(value)
    elif isinstance(part, (list, tuple)):
        for value in part:
            _share(value)
    elif isinstance(part, BaseDataElement):
        for value in part.all_values():
            _share(value)


def handed_over(loader: Iterable[Batch], workers: int) -> Iterator[Batch]:
    """The batches of a loader.

    Args:
        loader (Iterable): With :func:`shared` or torch's own collation.
        workers (int): Of the loader.

    Yields:
        Any: Each batch.

    Raises:
        UserError: If its workers have no shared memory.
    """
    try:
        if workers:
            multiprocessing.Lock()  # what a loader begins with, which tidies up badly without
        yield from loader
    except (OSError, RuntimeError) as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EFBIG) and error.filename is None
        if full or is_exhausted(error):
            raise ExhaustedError('shared memory is full, or its files are bounded, through which loaders hand over '
                                 'their batches: free /dev/shm or raise ulimit -f; in a container, give --shm-size 8g'
                                 ) from error
        raise
