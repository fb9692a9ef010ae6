"""The same image through two forms of a student."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from lgd_mm.datasets.shapes.scene import draw_scene
from lgd_mm.errors import UserError
from lgd_mm.exports.report import Difference

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
