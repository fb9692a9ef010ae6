"""Views of a batch, coloured and normalised on the device."""

from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmpretrain.models.utils import ClsDataPreprocessor
from numpy.typing import NDArray
from torch import Tensor

from lgd_mm.datasets.views.crops import Crops
from lgd_mm.datasets.views.view import BRIGHTNESS, CONTRAST, HUE, ORDERS, SATURATION, View
from lgd_mm.models.teachers.base import Taught
from lgd_mm.registry import MODELS

#: Luma of ITU-R 601, RGB.
LUMA = 0.299, 0.587, 0.114


@MODELS.register_module()
class ViewPreprocessor(ClsDataPreprocessor):
    """mmpretrain's preprocessor, which also colours the batches of :class:`lgd_mm.PackView`: every image by its own
    view, none of them waiting for the device.

    Takes the arguments of :class:`mmpretrain.models.ClsDataPreprocessor`.
    """

    def forward(self, data: dict[str, Any], training: bool = False) -> dict[str, Any]:
        """Bring a batch to the device, colour it and normalise it.

        Args:
            data (dict): Of :class:`lgd_mm.PackView`, in batches, on the CPU; anything else goes mmpretrain's way.
            training (bool): As in mmpretrain. Defaults to False.

        Returns:
            dict: ``inputs`` (B, 3, H, W), normalised RGB, float32, and from a cache ``teacher`` (B, D), with crops as
            :class:`lgd_mm.models.teachers.base.Taught`.
        """
        if 'view' not in data:
            return super().forward(data, training)
        images = self._send(data['inputs']).flip(1).float()
        if not data['coloured'].numpy().any():
            with torch.autocast(images.device.type, enabled=False):  # mmengine begins it before, and blur is a conv
                coloured(images.div_(255), data['view'].numpy()).mul_(255)
        normalised: dict[str, Any] = dict(inputs=images.sub_(self.mean).div_(self.std))
        if 'teacher' in data:
            normalised['teacher'] = self._send(data['teacher'])
        if 'crops' in data:
            normalised['teacher'] = Taught(normalised['teacher'], crops=Crops(*map(self._send, data['crops'])))
        return normalised

    def _send(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, non_blocking=True)


def coloured(images: Tensor, views: NDArray[Any]) -> Tensor:
    """Jitter, grey and blur a batch, each image by its own view.

    Which images an operation concerns is known on the CPU, so nothing waits for the device.

    Args:
        images (Tensor): RGB (B, 3, H, W) in [0, 1], changed in place.
        views (np.ndarray): Views (B, 12).

    Returns:
        Tensor: The same.
    """
    column = {name: views[:, index] for index, name in enumerate(View._fields)}
    orders = ORDERS[column['order'].astype(int)]  # (B, 4)
    factors = np.stack([column[name] for name in ('brightness', 'contrast', 'saturation', 'hue')], axis=1)  # (B, 4)
    idle = (1, 1, 1, 0)
    for turn in orders.T:  # (B, ): every image's first operation, then every image's second ...
        for operation, apply in OPERATIONS.items():
            concerned = np.flatnonzero((turn == operation) & (factors[:, operation] != idle[operation]))
            _change(images, concerned, factors[:, operation], apply)
    _change(images, np.flatnonzero(column['grey']), column['grey'], lambda chosen, _: _grey(chosen))
    blur = partial(_blur, reach=int(3 * column['sigma'].max() + 0.5))
    _change(images, np.flatnonzero(column['sigma']), column['sigma'], blur)
    return images


def _change(images: Tensor, concerned: NDArray[Any], factors: NDArray[Any], apply: Any) -> None:
    """Apply an operation with its factors (B, ) to the images it concerns."""
    if not len(concerned):
        return
    to_device = lambda array: torch.from_numpy(array).to(images.device, non_blocking=True)  # noqa: E731
    index = to_device(concerned)
    changed = apply(images[index], to_device(factors[concerned].astype(np.float32)).view(-1, 1, 1, 1))
    images.index_copy_(0, index, changed.expand(-1, 3, -1, -1))


def _grey(images: Tensor) -> Tensor:
    """Luma (B, 1, H, W)."""
    red, green, blue = images.split(1, dim=1)
    return LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue


def _brightness(images: Tensor, factor: Tensor) -> Tensor:
    return (images * factor).clamp_(0, 1)


def _contrast(images: Tensor, factor: Tensor) -> Tensor:
    return torch.lerp(_grey(images).mean(dim=(2, 3), keepdim=True), images, factor).clamp_(0, 1)


def _saturation(images: Tensor, factor: Tensor) -> Tensor:
    return torch.lerp(_grey(images), images, factor).clamp_(0, 1)


def _hue(images: Tensor, shift: Tensor) -> Tensor:
    """Turn the hue of HSV by shares of a turn; value and chroma stay."""
    red, green, blue = images.unbind(1)
    value, low = images.amax(1), images.amin(1)
    chroma = value - low
    safe = chroma.clamp(min=1e-8)
    hue = torch.where(value == red, (green - blue) / safe,
                      torch.where(value == green, (blue - red) / safe + 2, (red - green) / safe + 4))  # sixths
    turned = hue.unsqueeze(1) + 6 * shift
    # Red, green and blue are the same trapezium over the hue, at 5, 3 and 1 sixths.
    place = (turned + torch.arange(5, 0, -2, device=images.device).view(1, 3, 1, 1)) % 6  # new_tensor() would wait
    ramp = torch.minimum(place, 4 - place).clamp_(0, 1)
    return value.unsqueeze(1) - chroma.unsqueeze(1) * ramp


def _blur(images: Tensor, sigma: Tensor, reach: int) -> Tensor:
    """A Gaussian of each image's own sigma, along the rows and then along the columns; ``reach`` is the widest's.

    Each is cut off where OpenCV's is, so that no image depends on the others of its batch.
    """
    steps = torch.arange(-reach, reach + 1, device=images.device)
    sigma = sigma.view(-1, 1)
    inside = steps.abs() <= torch.floor(3 * sigma + 0.5)
    kernel = torch.exp(-0.5 * (steps / sigma)**2) * inside  # (B, N)
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(3, dim=0)  # (3 B, N)
    flat = images.reshape(1, -1, *images.shape[2:])  # (1, 3 B, H, W)
    flat = F.conv2d(F.pad(flat, (reach, reach, 0, 0), 'replicate'), kernel[:, None, None, :], groups=len(kernel))
    flat = F.conv2d(F.pad(flat, (0, 0, reach, reach), 'replicate'), kernel[:, None, :, None], groups=len(kernel))
    return flat.view_as(images)


OPERATIONS = {BRIGHTNESS: _brightness, CONTRAST: _contrast, SATURATION: _saturation, HUE: _hue}
