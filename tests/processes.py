"""Programs of this project in processes of their own, forked from the tests', which have imported all they need."""

import logging
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch
from mmengine.registry import DefaultScope

from tests.isolation import forget_runs

FORK = multiprocessing.get_context('fork')
#: Seconds that a program may take.
LIMIT = 600


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
            raise subprocess.TimeoutExpired(command, LIMIT)
        return subprocess.CompletedProcess(command, process.exitcode, *(path.read_text() for path in texts))


def start_program(command: list[str], cwd: Path, environment: Mapping[str, str], stdout: Path,
                  stderr: Path) -> BaseProcess:
    """Begin ``python COMMAND``; what it prints goes into two files."""
    process = FORK.Process(target=_run, args=(command, cwd, environment, stdout, stderr))
    process.start()
    return process


def _run(command: list[str], cwd: Path, environment: Mapping[str, str], stdout: Path, stderr: Path) -> None:
    """Of the tests nothing is left but the imported modules."""
    for number, path in enumerate((os.devnull, stdout, stderr)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, 'w'), open(2, 'w', buffering=1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGUSR1):
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
