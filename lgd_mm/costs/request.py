"""What is asked for when a cost is measured."""

import os
from collections.abc import Sequence

from lgd_mm.errors import UserError

#: Side of the images, and images of a pass that a throughput is of.
SIZE, BATCH = 224, 32
#: Of these, larger ones are a mistake.
LARGEST_SIZE, LARGEST_BATCH = 4096, 4096


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0))


def check_request(size: int, batch: int, threads: Sequence[int]) -> None:
    """See that figures can be measured as they are asked for.

    Args:
        size (int): Height and width of the images, in pixels.
        batch (int): Images of a pass.
        threads (Sequence[int]): Numbers of threads.

    Raises:
        UserError: If a value cannot be one.
    """
    for name, value, largest in (('size', size, LARGEST_SIZE), ('batch', batch, LARGEST_BATCH)):
        if not 1 <= value <= largest:
            raise UserError(f'{name} is {value}: give a number of 1 to {largest}')
    if not threads:
        raise UserError('threads is empty: give one number at least')
    for number in threads:
        if not 1 <= number <= cores():
            raise UserError(f'threads is {number}, and this process may use {cores()} '
                            f'core{"s" if cores() > 1 else ""}: give a number of 1 to {cores()}')
