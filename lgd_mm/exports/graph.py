"""A student as a graph of torch's operators, whatever the number and size of the images."""

import contextlib
import copy

import torch
from mmcv.cnn.bricks.conv2d_adaptive_padding import Conv2dAdaptivePadding
from timm.layers.conv2d_same import Conv2dSame
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from lgd_mm.console.words import first_line
from lgd_mm.errors import UserError
from lgd_mm.exports.check import SIDE, sample_image
from lgd_mm.students.network import Student

#: Heights and widths that a graph takes are its multiples: all strides divide them.
MULTIPLE = 32
#: Convolutions that pad by what the size of the image asks for.
SAME_PADDING = Conv2dAdaptivePadding, Conv2dSame


def trace(student: Student) -> tuple[ExportedProgram, bool]:
    """Trace a student.

    Args:
        student (Student): The student.

    Returns:
        tuple[ExportedProgram, bool]: Its graph, for any number of images, and whether of any height and width, each a
        multiple of 32, or of 224 x 224 alone: as the network takes them, and as torch.export can follow them.

    Raises:
        UserError: If torch.export cannot follow the network.
    """
    network = copy.deepcopy(student)
    fix_padding(network)
    if takes_any_size(network):
        with contextlib.suppress(Exception):  # whatever a network makes torch.export raise; the fixed size may do
            return _traced(network, True), True
    try:
        return _traced(network, False), False
    except Exception as error:
        raise UserError(f'torch.export cannot trace this student ({student.architecture}): {first_line(error)}: export '
                        'it to one of mmpretrain, safetensors') from error


class _Outputs(nn.Module):
    """A student as it is traced: with all its outputs."""

    def __init__(self, student: Student) -> None:
        super().__init__()
        self.student = student

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return self.student.outputs(images)


def _traced(network: Student, any_size: bool) -> ExportedProgram:
    sizes = {2: MULTIPLE * Dim('height'), 3: MULTIPLE * Dim('width')} if any_size else {}
    image = torch.zeros(2, 3, SIDE, SIDE + MULTIPLE if any_size else SIDE)
    return torch.export.export(_Outputs(network), (image, ), dynamic_shapes=dict(images={0: Dim('batch'), **sizes}))


def batches(any_size: bool) -> list[Tensor]:
    """Images to compare a graph with its student on: one, and several of another size."""
    other = (160, 96) if any_size else (SIDE, SIDE)
    image = sample_image(*other)
    return [sample_image(), torch.cat([image, image.flip(3), image.flip(2)])]


@torch.no_grad()
def takes_any_size(student: Student) -> bool:
    """Whether the network can be shown an image of another size than 224 x 224, as no vision transformer can."""
    try:
        student(torch.zeros(1, 3, SIDE, SIDE + MULTIPLE))
    except (AssertionError, RuntimeError, ValueError):
        return False
    return True


def pads_by_size(module: nn.Module) -> bool:
    """Whether convolutions pad as TensorFlow does, so that padding fixed for multiples of 32 is wrong for others."""
    return any(isinstance(part, SAME_PADDING) for part in module.modules())


def fix_padding(module: nn.Module) -> None:
    """Replace the convolutions below a module that pad by what the size of the image asks for."""
    for name, part in module.named_children():
        if isinstance(part, SAME_PADDING):
            setattr(module, name, _padded(part))
        else:
            fix_padding(part)


def _padded(conv: nn.Conv2d) -> nn.Module:
    """The same convolution for sizes that its stride divides."""
    fixed = nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride,  # type: ignore[arg-type]
                      dilation=conv.dilation, groups=conv.groups, bias=conv.bias is not None)  # type: ignore[arg-type]
    fixed.load_state_dict(conv.state_dict())
    high, wide = (max((kernel - 1) * dilation + 1 - stride, 0)
                  for kernel, dilation, stride in zip(conv.kernel_size, conv.dilation, conv.stride))
    return nn.Sequential(nn.ZeroPad2d((wide // 2, wide - wide // 2, high // 2, high - high // 2)), fixed)
