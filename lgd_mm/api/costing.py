"""What a student costs where it runs."""

from collections.abc import Sequence
from pathlib import Path

from lgd_mm.api.backbones import backbone_named
from lgd_mm.costs.measure import measure_cost
from lgd_mm.costs.report import Cost
from lgd_mm.costs.request import BATCH, SIZE, check_request


def cost(student: str | Path, size: int = SIZE, batch: int = BATCH, threads: Sequence[int] | None = None) -> Cost:
    """Measure what a student costs on this machine: parameters and multiply-adds, latency, throughput, memory and
    energy on the CPU by onnxruntime, and on a GPU by PyTorch if there is one.

    Args:
        student (str | Path): Folder of a pre-training, a student's file, or a name: a student
            (``lgd-mm list students``), ``'timm/NAME'``, or a model of mmpretrain.
        size (int): Height and width of the images, in pixels. Defaults to 224.
        batch (int): Images of a pass for the throughput; the latency is that of one image. Defaults to 32.
        threads (Sequence[int], optional): Of the CPU, each measured by itself. Defaults to None: 1, and as many as this
            process has cores.

    Returns:
        Cost: With how much other work was in the way.

    Raises:
        UserError: If there is no such student, it takes no images of that size, or the machine has fewer cores.
    """
    check_request(size, batch, threads if threads is not None else (1, ))
    backbone = backbone_named(str(student))
    return measure_cost(str(student), backbone, size, batch, threads)
