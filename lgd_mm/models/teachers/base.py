"""What all teachers share: frozen, always in eval mode, and fed with the student's images."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lgd_mm.datasets.views.crops import Crops
from lgd_mm.errors import UserError

PRECISIONS = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}


class Taught(NamedTuple):
    """What a teacher says of a batch.

    Attributes:
        embedding (Tensor): Of each image (B, D), not normalised.
        dense (Tensor, optional): Of each of its positions (B, D, h, w), not normalised.
        crops (Crops, optional): Of parts of it.
    """

    embedding: Tensor
    dense: Tensor | None = None
    crops: Crops | None = None


class Teacher(nn.Module):
    """A frozen image network that takes the student's images: it undoes the student's normalisation and applies its
    own, and resizes the views to its own size.

    Args:
        mean (Sequence[float] | Tensor): RGB means it was trained with, in [0, 1].
        std (Sequence[float] | Tensor): RGB standard deviations, in [0, 1].
        image_size (tuple[int, int], optional): Height and width it takes; None: any.
        precision (str): ``'fp32'``, ``'bf16'`` or ``'fp16'``, which it computes in whatever the student does. ``--amp``
            sets it. Defaults to ``'fp32'``.
        interpolation (str): How views are resized: ``'bicubic'`` or ``'bilinear'``. Defaults to ``'bicubic'``.

    Attributes:
        embed_dim (int): Width D of its embeddings.
        fingerprint (str): Identifies network and weights.
        has_maps (bool): Whether dense guidance asks it for positions; if not, the batches bring crops.
    """

    has_maps = True
    embed_dim: int
    fingerprint: str
    scale: Tensor
    shift: Tensor

    def __init__(self, mean: Sequence[float] | Tensor, std: Sequence[float] | Tensor,
                 image_size: tuple[int, int] | None, precision: str = 'fp32', interpolation: str = 'bicubic') -> None:
        super().__init__()
        if precision not in PRECISIONS:
            raise UserError(f'model.teacher.precision is {precision!r}: it must be one of {", ".join(PRECISIONS)}')
        self.dtype = PRECISIONS[precision]
        self.mean, self.std = torch.as_tensor(mean), torch.as_tensor(std)
        self.image_size, self.interpolation = image_size, interpolation

    def train(self, mode: bool = True) -> Any:
        """Stay in eval mode, whatever is asked."""
        for child in self.children():
            child.train(False)
        self.training = False
        return self

    def set_input_statistics(self, mean: Tensor, std: Tensor) -> None:
        """Say how the images given to :meth:`forward` were normalised.

        Args:
            mean (Tensor): RGB means on the 0-255 scale, 3 values.
            std (Tensor): RGB standard deviations on the 0-255 scale, 3 values.
        """
        mean, std = mean.flatten() / 255, std.flatten() / 255
        self.register_buffer('scale', (std / self.std).view(3, 1, 1), persistent=False)
        self.register_buffer('shift', ((mean - self.mean) / self.std).view(3, 1, 1), persistent=False)

    def freeze(self) -> None:
        """Bring the finished network into the form it computes fastest in."""
        self.requires_grad_(False).eval()
        for child in self.children():
            child.to(self.dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def encode_image(self, images: Tensor) -> Tensor:
        """Embed images (B, 3, H, W) of the teacher's own statistics and size as (B, D)."""
        raise NotImplementedError

    def check_dense(self) -> None:
        """See that there are embeddings of positions.

        Raises:
            UserError: If the network has none.
        """
        raise UserError(f'{type(self).__name__} has no embeddings of positions: take an lgd_mm.OpenCLIPTeacher, or '
                        'leave model.dense out')

    @property
    def takes_any_size(self) -> bool:
        """Whether its positions may be those of images of any size."""
        return False

    def encode_both(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Embed images as :meth:`encode_image` does, and their positions as (B, D, h, w), with one pass of the trunk.

        Raises:
            UserError: If the network has no embeddings of positions.
        """
        self.check_dense()
        raise NotImplementedError

    def encode_dense(self, images: Tensor) -> Tensor:
        """Embed every position of images (B, 3, H, W) of the teacher's own statistics and size as (B, D, h, w).

        Raises:
            UserError: If the network has no embeddings of positions.
        """
        return self.encode_both(images)[1]

    @torch.no_grad()
    def forward(self, inputs: Tensor, dense: bool = False) -> Any:
        """Embed the student's images.

        Args:
            inputs (Tensor): Images (B, 3, H, W) with the statistics named in :meth:`set_input_statistics`.
            dense (bool): Their positions as well. Defaults to False.

        Returns:
            Tensor | Taught: Embeddings (B, D) in float32, not normalised; with those of the positions if asked for.

        Raises:
            UserError: If the network has no embeddings of positions.
        """
        with torch.autocast(inputs.device.type, enabled=False):  # it would cast the frozen weights anew at every step
            images = self._own_images(inputs)
            if not dense:
                return self.encode_image(images).float()
            embedding, positions = self.encode_both(images)
            return Taught(embedding.float(), positions.float())

    @torch.no_grad()
    def dense(self, inputs: Tensor) -> Tensor:
        """Embed every position of the student's images.

        Args:
            inputs (Tensor): As of :meth:`forward`.

        Returns:
            Tensor: Embeddings (B, D, h, w) in float32, not normalised.

        Raises:
            UserError: If the network has none.
        """
        with torch.autocast(inputs.device.type, enabled=False):
            return self.encode_dense(self._own_images(inputs)).float()

    def _own_images(self, inputs: Tensor) -> Tensor:
        """The student's images with the teacher's statistics, type and size."""
        images = torch.addcmul(self.shift, inputs, self.scale)
        if self.image_size and images.shape[-2:] != self.image_size:
            images = F.interpolate(images, size=self.image_size, mode=self.interpolation, antialias=True)
        return images.to(dtype=self.dtype, memory_format=torch.channels_last)
