"""The same command in several processes."""

import logging
import os
import socket
import sys

import click

from lgd_mm.errors import UserError

#: Set by torchrun.
CHILD = 'TORCHELASTIC_RUN_ID'


def spread(processes: int | None) -> None:
    """Let torchrun start the same command several times, and end with it; one of its processes goes on.

    Args:
        processes (int, optional): How many; None or 1: this one goes on.

    Raises:
        UserError: If this machine has fewer GPUs.
        SystemExit: When all have ended, with the exit code of the first that failed.
    """
    if processes is None or processes == 1 or CHILD in os.environ:
        return
    import torch
    here = torch.cuda.device_count()
    if 0 < here < processes:
        raise UserError(f'--gpus {processes}: this machine has {here}: give {here} or fewer')
    # Each may compute on its share of the cores; torchrun would give it one, and say so each time.
    os.environ.setdefault('OMP_NUM_THREADS', str(max(1, len(os.sched_getaffinity(0)) // processes)))
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    sys.exit(_torchrun(['--nproc_per_node', str(processes), '--master_port', str(port), '-m', 'lgd_mm',
                        *sys.argv[1:]]))


def _torchrun(words: list[str]) -> int:
    """Run torchrun without its own traceback: the process that failed has told why. Returns the exit code."""
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    logging.getLogger('torch.distributed.elastic').setLevel(logging.CRITICAL)
    try:
        run.run(run.parse_args(words))
    except SignalException as error:
        return 128 + int(error.sigval)
    except ChildFailedError as error:
        code = int(error.get_first_failure()[1].exitcode)
        if code < 0:  # by a signal, such as of a machine without memory: it could tell nothing
            click.echo(f'error: a process was ended by signal {-code}'
                       + (': is there enough memory? Give a smaller --batch-size' if code == -9 else ''), err=True)
            return 128 - code
        return code
    return 0
