"""MoCo v2's recipe of random views."""

import math
from dataclasses import dataclass

import numpy as np

from lgd_mm.datasets.views.view import ORDERS, View


@dataclass(frozen=True)
class Recipe:
    """How views are drawn; the defaults are MoCo v2's (`arXiv:2003.04297 <https://arxiv.org/abs/2003.04297>`_).

    Args:
        scale (tuple[float, float]): Share of the image's area that is cropped.
        ratio (tuple[float, float]): Width of the crop by its height.
        jitter (tuple[float, float, float, float]): Of brightness, contrast, saturation (factors drawn from 1 ± it) and
            hue (turns drawn from ± it).
        jitter_prob (float): Share of the views that are jittered.
        grey_prob (float): Share of the views without colour.
        blur (tuple[float, float]): Sigma of the blur in pixels of the view.
        blur_prob (float): Share of the views that are blurred.
        flip_prob (float): Share of the views that are mirrored.
    """

    scale: tuple[float, float] = (0.2, 1.0)
    ratio: tuple[float, float] = (3 / 4, 4 / 3)
    jitter: tuple[float, float, float, float] = (0.4, 0.4, 0.4, 0.1)
    jitter_prob: float = 0.8
    grey_prob: float = 0.2
    blur: tuple[float, float] = (0.1, 2.0)
    blur_prob: float = 0.5
    flip_prob: float = 0.5

    def draw(self, height: int, width: int) -> View:
        """Draw a view of an image from NumPy's global random state.

        Args:
            height (int): Of the image, in pixels.
            width (int): Of the image, in pixels.

        Returns:
            View: Its numbers.
        """
        crop = self._crop(height, width)
        happens = np.random.random(4) < (self.jitter_prob, self.grey_prob, self.blur_prob, self.flip_prob)
        factors = np.random.uniform(-1, 1, 4) * self.jitter + (1, 1, 1, 0)
        order, sigma = np.random.randint(len(ORDERS)), np.random.uniform(*self.blur)
        jitter, grey, blur, flip = happens
        brightness, contrast, saturation, hue = factors if jitter else (1, 1, 1, 0)
        return View(*crop, flip, brightness, contrast, saturation, hue, order, grey, sigma if blur else 0)

    def _crop(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Top, left, height and width of a random crop (`torchvision.transforms.RandomResizedCrop`'s law)."""
        for _ in range(10):
            area = height * width * np.random.uniform(*self.scale)
            ratio = math.exp(np.random.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < w <= width and 0 < h <= height:
                return np.random.randint(height - h + 1), np.random.randint(width - w + 1), h, w
        # An image too long for any of ten crops: the largest one in its middle.
        w = min(width, round(height * self.ratio[1]))
        h = min(height, round(width / self.ratio[0]))
        return (height - h) // 2, (width - w) // 2, h, w
