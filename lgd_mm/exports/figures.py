"""What a student costs: parameters, multiply-adds and the time for an image on this machine."""

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from lgd_mm.exports.check import SIDE, sample_image
from lgd_mm.runs.environment import environment
from lgd_mm.students.complexity import complexity
from lgd_mm.students.network import Student

#: Passes that are not timed, and passes that are.
WARM_UP, TIMED = 3, 15


class Figures(NamedTuple):
    """Of one student, for an image of 224 x 224.

    Attributes:
        parameters (int): Of the backbone.
        projection (int): Parameters of the projection to the teacher's space; 0 without one.
        megabytes (float): Of the backbone's weights, in 10^6 bytes.
        multiply_adds (int): Of the backbone, see :class:`lgd_mm.students.complexity.Complexity`.
        milliseconds (float): Median time for one image on the CPU, in PyTorch.
        machine (str): Where that was measured.
    """

    parameters: int
    projection: int
    megabytes: float
    multiply_adds: int
    milliseconds: float
    machine: str


def measure(student: Student) -> Figures:
    """Count and time a student.

    Args:
        student (Student): On the CPU.

    Returns:
        Figures: Measured now, on this machine.
    """
    image = sample_image()
    state = student.backbone.state_dict().values()
    parameters, multiply_adds = complexity(student.backbone, SIDE, SIDE)
    machine = environment()['machine']
    with torch.no_grad():
        milliseconds = median_ms(lambda: student.outputs(image))
    return Figures(
        parameters=parameters,
        projection=0 if student.neck is None else sum(value.numel() for value in student.neck.parameters()),
        megabytes=sum(value.nbytes for value in state) / 1e6,
        multiply_adds=multiply_adds,
        milliseconds=milliseconds,
        machine=f'{machine["processor"]}, {machine["threads"]} thread{"s" if machine["threads"] > 1 else ""}, PyTorch '
                f'{torch.__version__.split("+")[0]}, {machine["date"]}')


def median_ms(run: Callable[[], object]) -> float:
    """Median time of a call, in milliseconds."""
    times = []
    for index in range(WARM_UP + TIMED):
        start = time.perf_counter()
        run()
        if index >= WARM_UP:
            times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def size() -> str:
    """The image that figures are for."""
    return f'{SIDE} x {SIDE}'
