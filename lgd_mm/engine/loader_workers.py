"""Workers of a loader: a signal to all processes of a run does not end them, its end does."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from mmengine.runner import Runner
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


@contextmanager
def end_with_run(runner: Runner) -> Iterator[None]:
    """End the workers that stay from epoch to epoch with what is run in the context, however it ends.

    torch does it once a loader is gone. A runner and its loaders name each other, and of such a circle Python ends the
    queues first: no worker would hear of its end, and each would be waited for 5 seconds at some later moment.

    Args:
        runner (Runner): About to train or to test.
    """
    try:
        yield
    finally:
        for loop in (runner._train_loop, runner._val_loop, runner._test_loop):
            for name in ('dataloader', 'dataloader_iterator'):
                owner: Any = getattr(loop, name, None)
                iterator: Any = getattr(owner, '_iterator', None)
                if hasattr(iterator, '_shutdown_workers'):
                    iterator._shutdown_workers()
                    owner._iterator = None  # the next one begins anew
