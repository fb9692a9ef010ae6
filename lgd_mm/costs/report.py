"""What was measured of a student, as it is written to a file; nothing is imported to read it."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Timing:
    """One way to run a student.

    Attributes:
        device (str): ``'CPU'`` or ``'GPU'``.
        runtime (str): Such as ``'onnxruntime 1.23.2, float32'``.
        threads (int, optional): Of the CPU that compute; None on a GPU.
        passes (int): That the latency is of.
        milliseconds (float): Median time of a pass with one image.
        lower (float): A quarter of the passes were faster, in milliseconds.
        upper (float): A quarter of the passes were slower, in milliseconds.
        images_per_second (float): Throughput, with a batch in each pass.
        memory_mb (float, optional): What the network and a pass with one image take at most, in MiB: of the process
            beyond what it had before, or of the GPU's memory. None if the machine does not tell.
        joules (float, optional): For one image at that throughput, of the whole processor or GPU, also for what else it
            does. None if the machine does not tell.
        no_joules (str, optional): Why it does not.
        others (float, optional): Cores that other work took meanwhile. None if the machine does not tell.
    """

    device: Literal['CPU', 'GPU']
    runtime: str
    threads: int | None
    passes: int
    milliseconds: float
    lower: float
    upper: float
    images_per_second: float
    memory_mb: float | None = None
    joules: float | None = None
    no_joules: str | None = None
    others: float | None = None


@dataclass
class Cost:
    """Of a student's backbone.

    Attributes:
        student (str): As it was asked for.
        architecture (str): What its backbone is.
        size (int): Height and width of the images, in pixels.
        batch (int): Images of a pass that the throughput is of.
        parameters (int): Of the backbone, without projection or head.
        multiply_adds (int): For one image, see :class:`lgd_mm.students.complexity.Complexity`.
        timings (list[Timing]): Each way to run it.
        missing (list[str]): What could not be measured, a sentence each.
        processor (str, optional): Name of the CPU.
        cores (int): That this process may use.
        versions (dict[str, str]): Of the packages.
        date (str, optional): When.
        key (str): Changes with what the figures depend on: backbone, size, batch, threads, versions, machine.
    """

    student: str
    architecture: str
    size: int
    batch: int
    parameters: int
    multiply_adds: int
    timings: list[Timing]
    missing: list[str] = field(default_factory=list)
    processor: str | None = None
    cores: int = 1
    versions: dict[str, str] = field(default_factory=dict)
    date: str | None = None
    key: str = ''
