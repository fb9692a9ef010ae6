"""How a run is started: here, on some of this machine's GPUs, or through Slurm."""

import fcntl
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from lgd_mm.errors import UserError
from lgd_mm.io.files import open_own
from lgd_mm.io.lock import take
from lgd_mm.suite.definition import ROOT

LOCK = '.lock'
#: Where the tools lie in an installed package that is no checkout.
INSTALLED = Path(__file__).resolve().parents[1] / '.mim'
#: What is in it: host and number of a process; earlier versions wrote no host, and a power cut leaves zeros. Of the
#: numbers 0 and 1, a signal would go to others.
OURS = re.compile(r'(\S+ )?(?:[2-9]|[1-9]\d{1,9})|\0*')


class Process:
    """A started run and its process group.

    Attributes:
        output_begins (int): Where its part of the output file begins, in bytes.
        returncode (int): Once it has ended; negative for a signal.
        resident (float): Its largest resident memory in MiB, once it has ended.
    """

    def __init__(self, popen: subprocess.Popen[bytes], output_begins: int) -> None:
        self._popen = popen
        self.output_begins = output_begins
        self.returncode = 0
        self.resident = 0.0

    def poll(self) -> bool:
        """Whether it has ended."""
        if self._popen.returncode is None:
            pid, status, usage = os.wait4(self._popen.pid, os.WNOHANG)  # poll() would not tell the memory
            if pid:
                self._popen.returncode = self.returncode = os.waitstatus_to_exitcode(status)
                self.resident = usage.ru_maxrss / 1024
        return self._popen.returncode is not None

    def terminate(self) -> None:
        """End it and the processes it started, if it has not ended."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.poll():
                os.killpg(self._popen.pid, number)
                _wait(self.poll)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Ask it to end by a signal, and do not wait."""
        with suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)


class Launcher:
    """Starts runs, a few at a time.

    Args:
        gpus (int): GPUs of each run; without GPUs, its processes on the CPU.
        available (int): GPUs of this machine.
        partition (str, optional): Slurm's, to run there. Defaults to None.
        jobs (int, optional): Runs at the same time through Slurm, or on a machine without GPUs, whose cores they
            share. Defaults to None: one.

    Attributes:
        jobs (int): Runs at the same time; on GPUs of this machine, as many as there are sets of them.

    Raises:
        UserError: If a run needs more GPUs than there are, or they say already how many runs go at a time.
    """

    def __init__(self, gpus: int, available: int, partition: str | None = None, jobs: int | None = None) -> None:
        if partition is None and 0 < available < gpus:
            raise UserError(f'--gpus is {gpus}, but this machine has {available}: give {available} or fewer')
        if partition is None and available and jobs is not None:
            raise UserError(f'--jobs is {jobs}, but on a machine with GPUs as many runs go at a time as these allow '
                            f'(here {available // gpus}): leave it out; CUDA_VISIBLE_DEVICES says which GPUs')
        self.gpus = gpus
        self.partition = partition
        self.jobs = available // gpus if available and not partition else jobs or 1
        self._visible: queue.Queue[str | None] = queue.Queue()
        mask = os.environ.get('CUDA_VISIBLE_DEVICES')
        names = mask.split(',') if mask else list(map(str, range(available)))  # a mask may hold UUIDs
        for job in range(self.jobs):
            devices = ','.join(names[job * gpus:(job + 1) * gpus])
            self._visible.put(devices if available and not partition else None)
        self._running: set[Process] = set()
        self._stopped = False
        self._starting = threading.Lock()  # a run is either seen by stop() or sees that it came

    def command(self, command: Sequence[str]) -> list[str]:
        """Turn ``tools/train.py CONFIG ...`` or ``tools/test.py CONFIG CHECKPOINT ...`` into what is started.

        Args:
            command (Sequence[str]): With ``--work-dir``.

        Returns:
            list[str]: The same through the launcher's script where it takes one.
        """
        tool, *arguments = command
        name = Path(tool).stem
        if self.partition:
            job = '-'.join(Path(arguments[arguments.index('--work-dir') + 1]).parts[-3:])
            if name == 'train':  # slurm_train.sh takes the work dir as an argument of its own
                at = arguments.index('--work-dir')
                arguments = [arguments[0], arguments[at + 1], *arguments[1:at], *arguments[at + 2:]]
            return ['bash', f'tools/slurm_{name}.sh', self.partition, job, *arguments]
        if self.gpus > 1:
            place = 1 if name == 'train' else 2  # after CONFIG, or CONFIG CHECKPOINT
            return ['bash', f'tools/dist_{name}.sh', *arguments[:place], str(self.gpus), *arguments[place:]]
        return [sys.executable, tool if (ROOT / tool).exists() else str(INSTALLED / tool), *arguments]

    @contextmanager
    def start(self, command: Sequence[str], work_dir: Path, output: Path) -> Iterator[Process]:
        """Start a run on free devices, or wait for them.

        The run keeps a lock on its folder for as long as it lives, also when its runner is killed: see
        :func:`end_orphan`.

        Args:
            command (Sequence[str]): See :meth:`command`.
            work_dir (Path): Its folder.
            output (Path): Its output is appended here.

        Yields:
            Process: Ended with the context if it has not.

        Raises:
            UserError: After :meth:`stop`.
        """
        visible = self._visible.get()
        variables = {'PYTHON': sys.executable, 'GPUS': str(self.gpus)}
        if visible is not None:
            variables['CUDA_VISIBLE_DEVICES'] = visible
        elif self.jobs > 1 and not self.partition:
            variables['OMP_NUM_THREADS'] = str(max(1, len(os.sched_getaffinity(0)) // self.jobs))
        try:
            with _open_lock(work_dir) as lock, _open(output) as log:
                with suppress(OSError):  # of a file system without locks
                    fcntl.flock(lock, fcntl.LOCK_EX)
                lock.truncate(0)  # it names a process of before, whose number may be another's by now
                with self._starting:
                    if self._stopped:
                        raise UserError('the suite was stopped before it began; the same command starts it')
                    begins = log.tell()
                    popen = subprocess.Popen(
                        self.command(command), cwd=ROOT, env={**os.environ, **variables}, stdout=log,
                        stderr=subprocess.STDOUT, start_new_session=True, pass_fds=[lock.fileno()])
                    process = Process(popen, begins)
                    self._running.add(process)
                try:
                    lock.write(f'{socket.gethostname()} {popen.pid}')
                    lock.flush()
                    yield process
                finally:
                    process.terminate()
                    with self._starting:
                        self._running.discard(process)
        finally:
            self._visible.put(visible)

    def kill(self) -> None:
        """End every run at once; for a handler of signals, which may have come in the midst of anything."""
        self._stopped = True
        for process in list(self._running):
            process.stop(signal.SIGKILL)

    def stop(self) -> None:
        """Ask every run to end, each is resumable, and start no other."""
        with self._starting:
            self._stopped = True
            for process in self._running:
                process.stop()


def _open_lock(work_dir: Path) -> IO[str]:
    """The lock of a run's folder.

    Raises:
        UserError: If something else is in its place.
    """
    lock = _open(work_dir / LOCK)
    lock.seek(0)
    if not OURS.fullmatch(lock.read(1000)):
        lock.close()
        raise UserError(f'{work_dir / LOCK} is a file of somebody else: move it away, and the same command goes on')
    return lock


def _open(path: Path) -> IO[str]:
    try:
        return open_own(path)
    except OSError as error:
        raise UserError(f'{path} cannot be written to ({error.strerror}): correct its permissions or move it away, and '
                        'the same command goes on') from error


def end_orphan(work_dir: Path) -> None:
    """End what a killed runner left running in a folder.

    Args:
        work_dir (Path): Of a run; may not exist.

    Raises:
        UserError: If it cannot be ended.
    """
    if not os.path.lexists(work_dir / LOCK):
        return
    with _open_lock(work_dir) as lock:
        lock.seek(0)
        host, _, leader = lock.read().strip('\0').rpartition(' ')
        here = host in ('', socket.gethostname())  # earlier versions wrote no host
        for number in (signal.SIGTERM, signal.SIGKILL):
            if leader and here and not take(lock):
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(int(leader), number)
            if _wait(lambda: take(lock)):
                return
    where = f' on {host}' if host else ''
    raise UserError(f'process {leader or "of unknown number"}{where} still runs in {work_dir}: end it first')


def _wait(condition: Callable[[], bool], seconds: float = 10) -> bool:
    """Look at a condition until it holds or the time is over."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(0.1)
    return True
