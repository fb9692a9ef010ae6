"""Passes of a network by the clock."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

#: Passes that are not timed.
WARM_UP = 10
#: Passes of a latency: at most, and at least however slow they are.
PASSES, FEWEST = 200, 15
#: Seconds that warming up, a latency and a throughput take, unless their fewest passes take longer.
SECONDS = 3.0


class Latency(NamedTuple):
    """Of passes with one image, in milliseconds.

    Attributes:
        passes (int): How many.
        milliseconds (float): Median.
        lower (float): First quartile.
        upper (float): Third quartile.
    """

    passes: int
    milliseconds: float
    lower: float
    upper: float


def warm_up(run: Callable[[], object]) -> None:
    """Call until caches, pages and clocks are as they stay.

    Args:
        run (Callable[[], object]): A pass; returns when it is computed.
    """
    end = time.perf_counter() + SECONDS
    for _ in range(WARM_UP):
        run()
        if time.perf_counter() > end:
            break


def latency(run: Callable[[], object]) -> Latency:
    """Time passes one by one.

    Args:
        run (Callable[[], object]): A pass; returns when it is computed.
    """
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    while len(times) < FEWEST or (len(times) < PASSES and time.perf_counter() < end):
        begin = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - begin))
    lower, median, upper = statistics.quantiles(times, n=4, method='inclusive')
    return Latency(len(times), median, lower, upper)


def throughput(run: Callable[[], object], batch: int) -> tuple[float, int]:
    """Time passes together; whatever is measured around this call is of these passes alone.

    Args:
        run (Callable[[], object]): A pass with a batch, which is not the first; returns when it is computed.
        batch (int): Its images.

    Returns:
        tuple[float, int]: Images per second, and how many there were.
    """
    passes, begin = 0, time.perf_counter()
    while passes < 2 or time.perf_counter() - begin < SECONDS:
        run()
        passes += 1
    return passes * batch / (time.perf_counter() - begin), passes * batch
