"""One process speaks for all."""

import os

from lgd_mm.console.printable import printable


def rank() -> int:
    """Of this process, also before it has joined the others."""
    return int(os.environ.get('RANK', os.environ.get('SLURM_PROCID', 0)))


def print_rank0(line: object) -> None:
    """Print a line, in the first process; control characters in it are shown, not sent.

    Args:
        line (object): Its string is printed; it may have several lines.
    """
    if rank() == 0:
        print(printable(line, lines=True), flush=True)
