"""A backbone on the CPU, by onnxruntime."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim

from lgd_mm.console.quiet import quietly
from lgd_mm.console.words import first_line
from lgd_mm.costs.process import measured_apart
from lgd_mm.costs.report import Timing
from lgd_mm.errors import UserError
from lgd_mm.exports.graph import fix_padding

PROCESS = 'lgd_mm.costs.onnx_process'


class _LastMap(nn.Module):
    """A backbone without what only its earlier maps are computed for."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.backbone(images)[-1]
        return features


def time_on_cpu(backbone: nn.Module, size: int, batch: int, threads: Sequence[int]) -> list[Timing]:
    """Measure a backbone by onnxruntime, each number of threads in a process of its own.

    Args:
        backbone (nn.Module): On the CPU, in eval mode. Convolutions that pad by the size of the image are changed to
            what they are at this size.
        size (int): Height and width of the images, in pixels.
        batch (int): Images of a pass for the throughput.
        threads (Sequence[int]): Numbers of threads.

    Returns:
        list[Timing]: For each number.

    Raises:
        UserError: If it cannot be brought to ONNX, or the process fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        with quietly():
            single, batched = _write(_LastMap(backbone), size, batch, Path(folder))
        return [_measure([single, batched, size, batch, number]) for number in threads]


def _measure(arguments: Sequence[object]) -> Timing:
    return measured_apart(PROCESS, arguments, 'onnxruntime', ' Give a smaller --batch or --size')


def _write(network: nn.Module, size: int, batch: int, folder: Path) -> tuple[Path, Path]:
    """The graph for one image and that for a batch: one file where torch.export can leave the number open."""
    if size % 32 == 0:  # the sizes that the padding is fixed for
        fix_padding(network)
    images = torch.zeros(2, 3, size, size)
    try:
        open_number = dict(images={0: Dim('batch')})
        file = _convert(torch.export.export(network, (images, ), dynamic_shapes=open_number), folder / 'any.onnx')
        return file, file
    except Exception:  # whatever a network makes torch.export or the conversion raise; with a fixed number they may do
        one, many = (_fixed(network, number, size, folder) for number in (1, batch))
        return one, many


def _fixed(network: nn.Module, number: int, size: int, folder: Path) -> Path:
    try:
        program = torch.export.export(network, (torch.zeros(number, 3, size, size), ))
        return _convert(program, folder / f'{number}.onnx')
    except Exception as error:
        raise UserError(f'the backbone cannot be brought to ONNX ({first_line(error)})') from error


def _convert(program: torch.export.ExportedProgram, file: Path) -> Path:
    torch.onnx.export(program, (), file, input_names=['images'], output_names=['features'], dynamo=True,
                      external_data=False, verbose=False)
    return file
