"""How long a graph takes for an image on this machine."""

from collections.abc import Sequence
from pathlib import Path

from lgd_mm.costs.process import measured_apart
from lgd_mm.costs.report import Timing

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
    return [measured_apart(PROCESS, [folder, graph, image, number], 'the graph') for number in threads]
