"""Programs of this project in processes of their own, forked from the tests', which have imported all they need."""

import functools
import logging
import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

import mmengine.runner.runner
import torch
import torch.distributed.run
from mmengine.config import Config
from mmengine.registry import DefaultScope

from tests.isolation import forget_runs

FORK = multiprocessing.get_context('fork')
#: Seconds that a program may take.
LIMIT = 600
#: What torchrun is to pass on, as tests/test_tools/test_launchers.py has it.
SIGNALS = '--signals-to-handle=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1'
#: Seconds that the others of a group have when one has failed.
PATIENCE = 20


def run_program(command: list[str], cwd: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess:
    """Run ``python COMMAND`` to its end, as :func:`subprocess.run` does.

    Args:
        command (list[str]): A file of Python and its arguments.
        cwd (Path): The folder that it begins in.
        environment (Mapping[str, str]): All of its environment.
    """
    if torch.cuda.is_available():  # threads of its driver do not survive a fork
        return subprocess.run([sys.executable, *command], cwd=cwd, env=dict(environment), capture_output=True,
                              text=True, timeout=LIMIT)
    with tempfile.TemporaryDirectory() as folder:
        texts = Path(folder, 'stdout'), Path(folder, 'stderr')
        process = start_program(command, cwd, environment, *texts)
        process.join(LIMIT)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, LIMIT)
        return subprocess.CompletedProcess(command, process.exitcode, *(path.read_text() for path in texts))


def start_program(command: list[str], cwd: Path, environment: Mapping[str, str], stdout: Path,
                  stderr: Path) -> BaseProcess:
    """Begin ``python COMMAND``; what it prints goes into two files."""
    _remember()
    for path in (stdout, stderr):
        path.write_text('')  # there from the start
    process = FORK.Process(target=_run, args=(command, cwd, environment, stdout, stderr))
    process.start()
    return process


@functools.cache
def _remember() -> None:
    """Before the first fork: what every pre-training reads of its libraries and machine (:mod:`tests.speed`)."""
    mmengine.runner.runner.collect_env()
    Config.fromfile(Path(__file__).parents[1] / 'configs/lgd/r18_pretrain.py')


def run_group(command: list[str], processes: int, cwd: Path,
              environment: Mapping[str, str]) -> subprocess.CompletedProcess:
    """Run ``python COMMAND`` in several processes that meet, as torchrun begins them.

    Returns:
        subprocess.CompletedProcess: What all of them printed, and the first exit status that is not zero. Those that
        hang when another one has failed are killed.
    """
    meeting = dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(_free_port()), WORLD_SIZE=str(processes),
                   LOCAL_WORLD_SIZE=str(processes))
    with tempfile.TemporaryDirectory() as folder:
        texts = [(Path(folder, f'stdout{rank}'), Path(folder, f'stderr{rank}')) for rank in range(processes)]
        group = [start_program(command, cwd, {**environment, **meeting, 'RANK': str(rank), 'LOCAL_RANK': str(rank)},
                               *files) for rank, files in enumerate(texts)]
        until = time.monotonic() + LIMIT
        while any(process.exitcode is None for process in group) and time.monotonic() < until:
            time.sleep(0.1)
            if any(process.exitcode for process in group):
                until = min(until, time.monotonic() + PATIENCE)
        for process in group:
            process.kill()
            process.join()
        status = next((process.exitcode for process in group if process.exitcode), 0)
        return subprocess.CompletedProcess(
            command, status, *(''.join(path.read_text() for path in files) for files in zip(*texts)))


def run_torchrun(command: list[str], processes: int, restarts: int, cwd: Path,
                 environment: Mapping[str, str]) -> subprocess.CompletedProcess:
    """Run ``python COMMAND`` by torchrun, as ``tools/torchrun.sh`` does, but that all of them are forked.

    Args:
        command (list[str]): A file of Python and its arguments.
        processes (int): That torchrun begins.
        restarts (int): How often it begins them again after the loss of one.
        cwd (Path): The folder that they begin in.
        environment (Mapping[str, str]): All of their environment.
    """
    launcher = [torch.distributed.run.__file__, '--start-method=fork', '--run-path', f'--nproc-per-node={processes}',
                '--master-addr=127.0.0.1', f'--master-port={_free_port()}', f'--max-restarts={restarts}', SIGNALS]
    return run_program([*launcher, *command], cwd, environment)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])


def _run(command: list[str], cwd: Path, environment: Mapping[str, str], stdout: Path, stderr: Path) -> None:
    """Of the tests nothing is left but the imported modules."""
    for number, path in enumerate((os.devnull, stdout, stderr)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, 'w'), open(2, 'w', buffering=1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_DFL)
    logging.getLogger().handlers.clear()
    logging.disable(logging.NOTSET)
    torch.set_num_threads(1)
    forget_runs()
    DefaultScope._instance_dict.clear()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[:] = command
    sys.path.insert(0, str(Path(command[0]).parent))
    runpy.run_path(command[0], run_name='__main__')
