"""What the machine counts by itself, read from Linux: the work of other processes, memory, energy."""

import os
import time
from contextlib import suppress
from pathlib import Path

STAT, STATUS, CLEAR = Path('/proc/stat'), Path('/proc/self/status'), Path('/proc/self/clear_refs')
#: Where processors count their energy; https://www.kernel.org/doc/html/latest/power/powercap/powercap.html
POWERCAP = Path('/sys/class/powercap')
#: Columns of /proc/stat behind the name of a core, in ticks: user, nice, system, idle, iowait, irq, softirq, steal.
IDLE = (3, 4)


def busy_seconds(stat: Path = STAT) -> float | None:
    """Seconds that the cores this process may use have worked since the machine was started, for whatever process or
    other machine on the same host.

    Args:
        stat (Path): Defaults to the kernel's.

    Returns:
        float, optional: Over all those cores; None if the kernel does not tell.
    """
    cores = {f'cpu{core}' for core in os.sched_getaffinity(0)}
    try:
        lines = [line.split() for line in stat.read_text().splitlines() if line.startswith('cpu')]
        ticks = [int(value) for name, *values in lines if name in cores
                 for column, value in enumerate(values[:8]) if column not in IDLE]
    except (OSError, ValueError):
        return None
    return sum(ticks) / os.sysconf('SC_CLK_TCK') if any(ticks) else None


def own_seconds() -> float:
    """Seconds that this process has worked, in all its threads."""
    times = os.times()
    return times.user + times.system


class OtherWork:
    """What else this machine computes from now on."""

    def __init__(self) -> None:
        self._start = time.perf_counter(), busy_seconds(), own_seconds()

    def cores(self) -> float | None:
        """That other processes have taken since, on average; None where the system does not tell."""
        start, busy, own = self._start
        seconds, after = time.perf_counter() - start, busy_seconds()
        return None if busy is None or after is None else max(0.0, after - busy - (own_seconds() - own)) / seconds


def memory_mb(key: str, status: Path = STATUS) -> float | None:
    """Memory of this process.

    Args:
        key (str): ``'VmRSS'``, what it has, or ``'VmHWM'``, the most it has had.
        status (Path): Defaults to the kernel's.

    Returns:
        float, optional: In MiB; None if the kernel does not tell.
    """
    with suppress(OSError, ValueError, IndexError):
        for line in status.read_text().splitlines():
            if line.startswith(f'{key}:'):
                return int(line.split()[1]) / 1024
    return None


def forget_peak() -> None:
    """Let ``VmHWM`` begin anew, where the kernel allows it."""
    with suppress(OSError):
        CLEAR.write_text('5')


class Energy:
    """The energy that all processors of this machine take, by their own counters (RAPL), for whatever process.

    Args:
        root (Path): Defaults to the kernel's folder.

    Attributes:
        missing (str, optional): Why there is none.
    """

    def __init__(self, root: Path = POWERCAP) -> None:
        self.missing: str | None = None
        self._counters: dict[Path, int] = {}
        for folder in sorted(root.glob('intel-rapl:*')) if root.is_dir() else ():  # AMD's have the same name
            try:
                if (folder / 'name').read_text().startswith('package'):  # not their parts, nor what counts them twice
                    int((folder / 'energy_uj').read_text())
                    self._counters[folder / 'energy_uj'] = int((folder / 'max_energy_range_uj').read_text())
            except PermissionError:
                self.missing = f'{folder}/energy_uj is for root alone'
            except (OSError, ValueError):
                continue
        if self.missing:  # of one processor of two it would be half the truth
            self._counters.clear()
        elif not self._counters:
            self.missing = f'there is no energy counter in {root}'

    def read(self) -> dict[Path, int]:
        """What the counters say, in microjoules; empty without any."""
        return {file: int(file.read_text()) for file in self._counters}

    def joules_since(self, before: dict[Path, int]) -> float | None:
        """Energy since a reading.

        Args:
            before (dict[Path, int]): Of :meth:`read`, less than a round of the counters ago, which takes minutes.

        Returns:
            float, optional: None without counters.
        """
        rounds = [(after - before[file]) % (self._counters[file] + 1) for file, after in self.read().items()]
        return sum(rounds) / 1e6 if rounds else None
