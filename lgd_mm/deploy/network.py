"""What all deployed networks share: they take RGB in [0, 1], and normalise and pad it themselves."""

from abc import abstractmethod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DeployedNetwork(nn.Module):
    """A fine-tuned network as it is traced.

    Args:
        model (nn.Module): Of mmdet, mmseg or mmpretrain, in eval mode.

    Attributes:
        output_names (tuple[str, ...]): Of what :meth:`forward` returns.
        one_image (bool): Whether it takes one image at a time, and its outputs have no batch.
        pastes_masks (bool): Whether its masks are to be pasted into the image by ``predict.py``.
    """

    mean: Tensor
    std: Tensor
    output_names: tuple[str, ...] = ()
    one_image = False
    pastes_masks = False

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        preprocessor = model.data_preprocessor
        self.bgr = not _takes_rgb(preprocessor)
        self.divisor: int = getattr(preprocessor, 'pad_size_divisor', 1)
        self.pad_value = float(getattr(preprocessor, 'pad_value', 0))
        normalises = getattr(preprocessor, '_enable_normalize', True)
        for name, neutral in (('mean', 0.0), ('std', 1.0)):
            value = getattr(preprocessor, name) if normalises else torch.full((3, 1, 1), neutral)
            self.register_buffer(name, value.clone().view(3, 1, 1).float(), persistent=False)

    @abstractmethod
    def forward(self, images: Tensor, image_size: Tensor, original_size: Tensor) -> tuple[Tensor, ...]:
        """What the network says of images.

        Args:
            images (Tensor): RGB in [0, 1] (B, 3, H, W), resized as in the test pipeline, in the upper left corner of
                what may be larger.
            image_size (Tensor): Their height and width, (2, ), int64.
            original_size (Tensor): The same in pixels of the original image, (2, ), float32.
        """

    def prepared(self, images: Tensor, image_size: Tensor) -> Tensor:
        """Images (B, 3, H, W) as the backbone takes them, padded below and at the right."""
        images = images.flip(1) if self.bgr else images
        images = (images * 255 - self.mean) / self.std
        rows, columns = (torch.arange(images.shape[axis]) < image_size[axis - 2] for axis in (2, 3))
        images = torch.where(rows[:, None] & columns, images, self.pad_value)
        if self.divisor <= 1:
            return images
        below, right = (-images.shape[axis] % self.divisor for axis in (2, 3))
        return F.pad(images, (0, right, 0, below), value=self.pad_value)


def _takes_rgb(preprocessor: Any) -> bool:
    """Images are read as BGR: whether the preprocessor turns them."""
    return bool(preprocessor.to_rgb if hasattr(preprocessor, 'to_rgb') else preprocessor._channel_conversion)
