"""How long a graph takes for an image on this machine."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lgd_mm.costs.report import Timing
from lgd_mm.errors import UserError
from lgd_mm.io.texts import parse_json
from lgd_mm.io.typed_json import from_json

PROCESS = 'lgd_mm.deploy.timing_process'


def time_graph(folder: Path, graph: str, image: Path, threads: Sequence[int]) -> list[Timing]:
    """Measure a graph of an export, each number of threads in a process of its own.

    Args:
        folder (Path): Of the export.
        graph (str): Name of the file in it.
        image (Path): That it is shown.
        threads (Sequence[int]): Numbers of threads.

    Returns:
        list[Timing]: For each number.

    Raises:
        UserError: If the process fails.
    """
    return [_measured([folder, graph, image, number]) for number in threads]


def _measured(arguments: Sequence[object]) -> Timing:
    done = subprocess.run([sys.executable, '-m', PROCESS, *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f'exit code {done.returncode}'])[-1]
        raise UserError(f'the graph could not be measured ({reason}): is there enough memory?')
    return from_json(Timing, parse_json(done.stdout.strip().splitlines()[-1], PROCESS), PROCESS, 'run it again')
