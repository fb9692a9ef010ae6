"""Workers of a loader that a signal to all processes of a run does not end."""

import os
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from torch.utils.data import DataLoader

#: Ctrl-C, a scheduler's end, a terminal that is closed, and what Slurm can be told to send some time before the end
#: (``--signal=USR1@120``).
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)


def outlive_signals(loader: DataLoader[Any]) -> None:
    """Leave it to the training process what becomes of its workers when the run is asked to stop.

    torchrun and Slurm signal each of a run's processes. A worker that ended by itself would be an error in the midst of
    the step that is to be finished and saved.

    Args:
        loader (DataLoader): That has not begun yet. Changed in place.
    """
    if hasattr(signal, 'sigwaitinfo'):  # macOS has none, nor such schedulers
        loader.worker_init_fn = partial(_begin, loader.worker_init_fn)


def _begin(init: Callable[[int], None] | None, number: int) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    threading.Thread(target=_obey_the_parent, daemon=True).start()
    if init is not None:
        init(number)


def _obey_the_parent() -> None:
    """torch ends workers that hang by SIGTERM."""
    while True:
        told = signal.sigwaitinfo(SIGNALS)
        if told.si_signo == signal.SIGTERM and told.si_pid == os.getppid():
            os._exit(0)
