"""Views of a single image, by OpenCV; their crops by PyTorch, whose filter is Pillow's."""

from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from lgd_mm.datasets.views.view import BRIGHTNESS, CONTRAST, HUE, ORDERS, SATURATION, View


def crop(image: NDArray[Any], view: View, size: int) -> NDArray[Any]:
    """Cut a view out of an image, bring it to its size and mirror it.

    Where it shrinks, the bilinear filter is as wide as a new pixel, as in Pillow and so in
    ``torchvision.transforms.RandomResizedCrop``: the same to a rounding. OpenCV's does not widen, and aliases.

    Args:
        image (np.ndarray): (H, W, 3), uint8.
        view (View): Of that image.
        size (int): Height and width of the result, in pixels.

    Returns:
        np.ndarray: (size, size, 3), uint8; in memory (3, size, size).
    """
    top, left, height, width = map(int, view[:4])
    cut = torch.from_numpy(image[top:top + height, left:left + width].copy()).permute(2, 0, 1)[None]
    cut = F.interpolate(cut, (size, size), mode='bilinear', antialias=True)[0]  # colour by colour, as batches are
    return (cut.flip(-1) if view.flip else cut).permute(1, 2, 0).numpy()


def colour(image: NDArray[Any], view: View) -> NDArray[Any]:
    """Jitter, grey and blur.

    Args:
        image (np.ndarray): (H, W, 3), BGR, uint8.
        view (View): Its colours.

    Returns:
        np.ndarray: (H, W, 3), BGR, uint8.
    """
    for operation in ORDERS[int(view.order)]:
        if operation == BRIGHTNESS and view.brightness != 1:
            image = cv2.convertScaleAbs(image, alpha=view.brightness)
        elif operation == CONTRAST and view.contrast != 1:
            mean = cv2.mean(_grey(image))[0]
            image = _blend(image, np.full_like(image, round(mean)), view.contrast)
        elif operation == SATURATION and view.saturation != 1:
            image = _blend(image, cv2.merge([_grey(image)] * 3), view.saturation)
        elif operation == HUE and view.hue:
            hsv: NDArray[Any] = cv2.cvtColor(image, cv2.COLOR_BGR2HSV_FULL)
            hsv[..., 0] += round(view.hue * 256) % 256  # a turn is 256 steps, and uint8 goes round
            image = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR_FULL)
    if view.grey:
        image = cv2.merge([_grey(image)] * 3)
    if view.sigma:
        reach = 2 * int(3 * view.sigma + 0.5) + 1
        image = cv2.GaussianBlur(image, (reach, reach), view.sigma, borderType=cv2.BORDER_REPLICATE)
    return image


def _grey(image: NDArray[Any]) -> NDArray[Any]:
    """Luma (H, W) of ITU-R 601, as in Pillow and torchvision."""
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


def _blend(image: NDArray[Any], other: NDArray[Any], factor: float) -> NDArray[Any]:
    return cv2.addWeighted(image, factor, other, 1 - factor, 0)
