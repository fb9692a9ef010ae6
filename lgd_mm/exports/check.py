"""The same image through two forms of a student."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lgd_mm.datasets.shapes.scene import draw_scene
from lgd_mm.errors import UserError
from lgd_mm.exports.report import Difference
from lgd_mm.students.network import Student

#: Height and width of the image, in pixels.
SIDE = 224
#: Largest relative difference that counts as rounding: of torch's own kernels, and of another runtime's.
SAME_KERNELS, OTHER_KERNELS = 1e-4, 1e-3


def sample_image(height: int = SIDE, width: int = SIDE) -> Tensor:
    """An image that looks like one: far from what a network was trained on, such as noise, rounding errors grow.

    Args:
        height (int): In pixels. Defaults to 224.
        width (int): In pixels. Defaults to 224.

    Returns:
        Tensor: RGB (1, 3, height, width) in [0, 1], always the same.
    """
    image = draw_scene(np.random.default_rng(0), max(height, width), most=4).image[:height, :width]
    return torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255


def compare(library: str, expected: Mapping[str, Tensor], found: Mapping[str, Tensor], tolerance: float) -> Difference:
    """Compare the outputs for one image.

    Args:
        library (str): What computed ``found``.
        expected (Mapping[str, Tensor]): The student's own outputs, of any shapes.
        found (Mapping[str, Tensor]): Those of the exported form, by the same names.
        tolerance (float): Largest relative difference allowed.

    Returns:
        Difference: The largest of all outputs.

    Raises:
        UserError: If an output is not finite, has another shape, or differs by more.
    """
    differences = []
    for name, ours in expected.items():
        theirs = found[name]
        if not ours.isfinite().all():
            raise UserError(f'the student gives {name} that are not finite: its weights are broken, so take an earlier '
                            'checkpoint')
        if ours.shape != theirs.shape:
            raise UserError(f'{library} computes {name} of shape {tuple(theirs.shape)} where the student has '
                            f'{tuple(ours.shape)}: nothing was written')
        scale = max(ours.abs().max().item(), torch.finfo(ours.dtype).tiny)
        largest = (ours - theirs).abs().max().item()
        if not largest <= tolerance * scale:
            raise UserError(f'{library} computes other {name} than the student: they differ by {largest / scale:.2g} '
                            f'of the largest value, and {tolerance:g} is allowed: nothing was written')
        differences.append(Difference(largest, largest / scale))
    return Difference.largest_of(differences)


def of_student(student: Student, maps: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Mapping[str, Tensor]]:
    """What to compare maps with that the student's own config does not return, such as those of finer strides.

    Args:
        student (Student): The student.
        maps (Mapping[str, Tensor]): What another form of it makes of :func:`sample_image`, each (1, C, h, w).

    Returns:
        tuple[dict[str, Tensor], Mapping[str, Tensor]]: By the same names, of all that the student's layers compute what
        is most like each map, or if nothing has its shape the last; and ``maps``.
    """
    own = _computed(student)
    return {name: _closest(found, own) for name, found in maps.items()}, maps


@torch.no_grad()
def _computed(student: Student) -> list[Tensor]:
    """Every map that the student's own layers make of the image."""
    maps: list[Tensor] = []

    def keep(module: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.dim() == 4:
            maps.append(output.clone())

    hooks = [module.register_forward_hook(keep) for module in student.backbone.modules()]
    try:
        student(sample_image())
    finally:
        for hook in hooks:
            hook.remove()
    return maps


def _closest(wanted: Tensor, maps: list[Tensor]) -> Tensor:
    """The map that is most like another; the last if none has its shape."""
    fitting = [found for found in maps if found.shape == wanted.shape]
    return min(fitting, key=lambda found: (found - wanted).abs().max().item(), default=maps[-1])
