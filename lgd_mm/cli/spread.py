"""The same command in several processes."""

import os
import socket
import sys

from lgd_mm.errors import UserError

#: Set by torchrun.
CHILD = 'TORCHELASTIC_RUN_ID'


def spread(processes: int) -> None:
    """Replace this process by torchrun with the same command; one of its processes goes on.

    Args:
        processes (int): How many.

    Raises:
        UserError: If this machine has fewer GPUs.
    """
    if CHILD in os.environ:
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
    os.execv(sys.executable, [
        sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node', str(processes), '--master_port', str(port),
        '-m', 'lgd_mm', *sys.argv[1:]])
