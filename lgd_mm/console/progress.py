"""Where a long job is: a bar on a terminal; elsewhere a line, the first within ten seconds, then every thirty."""

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import TypeVar

from rich.console import Console
from rich.progress import track as rich_track

from lgd_mm.console.rank_zero import print_rank0, rank

T = TypeVar('T')

#: What a command does first, which takes seconds, and on a busy machine longer.
LOADING = 'loading the libraries'

#: Seconds to the first line, and from one to the next.
FIRST, EVERY = 10, 30


class Heartbeat:
    """A context in which a line is printed now and then, from a thread: a slow step is no silence. The first of several
    processes speaks for all.

    Args:
        where (Callable[[], str]): The line. It must not wait for a device.
        tell (Callable[[str], object]): Prints it. Defaults to :func:`lgd_mm.console.rank_zero.print_rank0`.
        clock (Callable[[], float]): In seconds. Defaults to ``time.monotonic``.
        wait (Callable[[float], bool], optional): Waits so many seconds, or to the end of the context; whether it has
            ended. Defaults to None: in real time.
    """

    def __init__(self, where: Callable[[], str], tell: Callable[[str], object] = print_rank0,
                 clock: Callable[[], float] = time.monotonic, wait: Callable[[float], bool] | None = None) -> None:
        self._where, self._tell, self._clock = where, tell, clock
        self._ended = threading.Event()
        self._wait = wait or self._ended.wait
        self._due = clock() + FIRST

    def __enter__(self) -> 'Heartbeat':
        self._due = self._clock() + FIRST
        if rank() == 0:
            threading.Thread(target=self.beat, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._ended.set()

    def spoken(self) -> None:
        """Another line was printed: the next is due a whole pause later."""
        self._due = self._clock() + EVERY

    def beat(self) -> None:
        """Print lines until the end of the context."""
        while not self._wait(max(0., self._due - self._clock())):
            if self._clock() >= self._due:
                self._tell(self._where())
                self.spoken()


def begin(what: str) -> None:
    """Say what a command is about to do, on standard error, before it is silent for long.

    Args:
        what (str): Such as ``'loading the libraries'``.
    """
    if rank() == 0:
        print(f'{what} ...', file=sys.stderr, flush=True)


def still(what: str) -> Heartbeat:
    """A heartbeat of a job that does not know how far it is.

    Args:
        what (str): Such as ``'reading the data'``.
    """
    began = time.monotonic()
    return Heartbeat(lambda: f'{what}: {time.monotonic() - began:.0f} s so far')


def track(items: Iterable[T], what: str, total: int, console: Console | None = None) -> Iterator[T]:
    """Go through items and show how far it is.

    Args:
        items (Iterable[T]): The items.
        what (str): What they are.
        total (int): How many they are.
        console (Console, optional): Where to show it. Defaults to None: standard output.

    Yields:
        T: Each.
    """
    console = console or Console()
    if rank() != 0:
        yield from items
    elif console.is_terminal or console.is_jupyter:
        yield from rich_track(items, what, total, console=console)
    else:
        done = 0
        file = console.file
        with Heartbeat(lambda: f'{what}: {done:,} of {total:,}', lambda line: print(line, file=file, flush=True)):
            for item in items:
                yield item
                done += 1
