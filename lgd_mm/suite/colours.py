"""Colours of classes, the same in all tasks of a suite."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import hsv_to_rgb
from numpy.typing import NDArray

#: Colours that are easily told apart, RGB.
PALETTE = ((230, 25, 75), (60, 180, 75), (255, 225, 25), (0, 130, 200), (245, 130, 48), (145, 30, 180), (70, 240, 240),
           (240, 50, 230))
GOLDEN_RATIO = 0.618034


def class_colours(classes: Sequence[str]) -> NDArray[Any]:
    """Colours of classes: by the order of their names, so that two tasks with the same names share them.

    Args:
        classes (Sequence[str]): Names of the classes; ``'background'`` is grey.

    Returns:
        np.ndarray: RGB colours (C, 3), uint8.
    """
    names = sorted(set(classes) - {'background'})
    colours = {name: _colour(index) for index, name in enumerate(names)}
    return np.array([colours.get(name, (110, 110, 110)) for name in classes], np.uint8)


def _colour(index: int) -> tuple[int, ...]:
    """One of the palette, and hues far from each other beyond it."""
    if index < len(PALETTE):
        return PALETTE[index]
    return tuple(np.rint(255 * hsv_to_rgb((index * GOLDEN_RATIO % 1, (0.85, 0.55)[index % 2],
                                           (0.9, 0.7, 0.5)[index % 3]))).astype(int).tolist())
