"""Where in an image the student and the teacher see a category."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from PIL import Image
from torch import Tensor

from lgd_mm.report.tiles import draw_tile

#: Positions between two of a network's own, in each direction.
FINENESS = 4


@torch.no_grad()
def similarity_map(embed: Callable[[Tensor], Tensor], inputs: Tensor, text: Tensor) -> Tensor:
    """Cosine similarity of every position with a text.

    A network's last map is coarse, so the image is shown shifted by fractions of its stride, and the maps are put
    into each other (`arXiv:1312.6229 <https://arxiv.org/abs/1312.6229>`_); a larger image would show things in a
    size that the network was not trained for.

    Args:
        embed (Callable[[Tensor], Tensor]): Embeds the positions of images (B, 3, S, S) as (B, D, h, w).
        inputs (Tensor): The image (1, 3, S, S), normalised.
        text (Tensor): Of unit length (D, ).

    Returns:
        Tensor: (4 h, 4 w), on the CPU.
    """
    size = inputs.shape[-1]
    stride = size / embed(inputs).shape[-1]
    shifts = [round(step * stride / FINENESS) for step in range(FINENESS)]
    before = shifts[-1] // 2
    padded = F.pad(inputs, (before, shifts[-1] - before) * 2, mode='reflect')
    crops = torch.cat([padded[..., y:y + size, x:x + size] for y in shifts for x in shifts])
    similarities = torch.einsum('bdhw,d->bhw', F.normalize(embed(crops).float(), dim=1), text)
    return F.pixel_shuffle(similarities.unsqueeze(0), FINENESS)[0, 0].cpu()


def draw_maps(image: Image.Image, maps: Mapping[str, Tensor]) -> list[tuple[str, bytes]]:
    """The image, and beside it each map over the image.

    Args:
        image (Image.Image): The image.
        maps (Mapping[str, Tensor]): Titles and maps (h, w); each has the whole range of colours for itself.

    Returns:
        list[tuple[str, bytes]]: Titles and WebP files; a map's title ends with its range.
    """
    tiles = [('image', draw_tile(image, lambda axes: None))]
    for title, values in maps.items():
        tiles.append((f'{title}: {values.min():.2f}\u00a0to\u00a0{values.max():.2f}'.replace('-', '\u2212'),
                      draw_tile(image, _overlay(values, image.size), grey=True)))
    return tiles


def _overlay(values: Tensor, size: tuple[int, int]) -> Callable[[Axes], None]:
    """Draws a map over an image of ``size``."""
    extent = (-0.5, size[0] - 0.5, size[1] - 0.5, -0.5)

    def draw(axes: Axes) -> None:
        axes.imshow(values.numpy(), cmap='magma', alpha=0.65, extent=extent, interpolation='bicubic')
    return draw
