"""Ctrl-C: the first ends a command in order, the second at once, with the exit status that shells expect."""

import multiprocessing
import os
import signal
import stat
import threading
import time
from collections.abc import Callable, Sequence
from types import FrameType
from typing import NoReturn

from lgd_mm.console.rank_zero import rank

#: Exit status after Ctrl-C, as a shell has it.
STATUS = 128 + signal.SIGINT
#: Seconds that a process which is to end at once has to tidy up.
GRACE = 3
#: What ends the processes that are no children of multiprocessing.
ENDINGS: list[Callable[[], object]] = []


def install(numbers: Sequence[int] = (signal.SIGINT, ), ignored: bool = False) -> None:
    """End in order on the first of these signals, and at once on the second. Only the main thread can be interrupted.

    Args:
        numbers (Sequence[int]): The signals. Defaults to Ctrl-C's.
        ignored (bool): Also where they are ignored, as a shell's background jobs do with Ctrl-C. Defaults to False.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    process = os.getpid()

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        if os.getpid() == process:  # not in a loader's worker
            signal.signal(signal.SIGINT, end_now)
            tell('stopping; Ctrl-C again ends at once')
        raise KeyboardInterrupt

    for number in numbers:
        if signal.getsignal(number) in (signal.default_int_handler, signal.SIG_DFL) or ignored:
            signal.signal(number, stop)


def install_ending(ended: Callable[[int], BaseException]) -> None:
    """Raise on SIGTERM and SIGHUP, as long as a training has not its own answer to them; SIGHUP stays ignored where
    nohup has it so. Only the main thread can be interrupted.

    Args:
        ended (Callable[[int], BaseException]): From the signal to what is raised.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    process = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        if os.getpid() != process:  # a loader's worker, which torch ends so
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        if number == signal.SIGHUP:
            leave_terminal()
        signal.signal(number, signal.SIG_IGN)  # it comes once more from a launcher
        raise ended(number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


def leave_terminal() -> None:
    """Write no more to a terminal that is closed: each line would be an error, in the midst of what is to be saved."""
    for descriptor in (1, 2):
        try:
            if not stat.S_ISCHR(os.fstat(descriptor).st_mode):
                continue
            nowhere = os.open(os.devnull, os.O_WRONLY)
        except OSError:
            continue
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def end_soon(number: int, frame: FrameType | None) -> NoReturn:
    """As a handler: leave whatever is going on, and end also if that hangs."""
    signal.signal(signal.SIGINT, end_now)
    threading.Thread(target=_end_after_grace, daemon=True).start()
    raise KeyboardInterrupt


def end_now(number: int = signal.SIGINT, frame: FrameType | None = None) -> NoReturn:
    """As a handler: end the workers and this process. Files are written whole or not at all, whenever that is."""
    for ending in ENDINGS:
        ending()
    for child in multiprocessing.active_children():
        child.kill()
    os._exit(STATUS)


def tell(sentence: str) -> None:
    """Print to standard error from within a handler, where ``print`` may be at work already; the first process does."""
    if rank() == 0:
        os.write(2, f'\n{sentence}\n'.encode())


def _end_after_grace() -> None:
    time.sleep(GRACE)
    end_now()
