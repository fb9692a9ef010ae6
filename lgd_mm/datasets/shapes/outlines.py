"""The outlines of the world's shapes: polygons within the unit circle."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Shape names in alphabetical order, so that a class index equals that of a folder-per-class reader.
SHAPES = ('circle', 'crescent', 'cross', 'diamond', 'ring', 'square', 'star', 'triangle')


def outline(shape: str, hole: bool = False) -> list[NDArray[Any]]:
    """Polygons of a shape, filled by the even-odd rule (the ring's second one is its hole).

    Args:
        shape (str): One of :data:`SHAPES`.
        hole (bool): With a round hole in its middle. Defaults to False.

    Returns:
        list[np.ndarray]: Corners (N, 2) of each polygon, within the unit circle.
    """
    return [*_OUTLINES[shape], _corners([_HOLES.get(shape, 0.34)] * 24)] if hole else _OUTLINES[shape]


def _corners(radii: list[float]) -> NDArray[Any]:
    """One corner at each given radius, at equal angles."""
    angles = 2 * np.pi * np.arange(len(radii)) / len(radii)
    return np.asarray(radii)[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _crescent(bite: float = 0.8, shift: float = 0.48) -> NDArray[Any]:
    """The unit circle without a circle of radius ``bite`` whose centre is moved to the right by ``shift``."""
    x = (1 - bite**2 + shift**2) / (2 * shift)  # where the circles meet
    tip = np.arccos(x)
    outer = np.linspace(tip, 2 * np.pi - tip, 40)
    tip = np.arctan2(np.sin(tip), x - shift)
    inner = np.linspace(2 * np.pi - tip, tip, 40)
    return np.concatenate([
        np.stack([np.cos(outer), np.sin(outer)], axis=1),
        np.stack([shift + bite * np.cos(inner), bite * np.sin(inner)], axis=1),
    ])


def _cross(arm: float = 0.31) -> NDArray[Any]:
    reach = np.sqrt(1 - arm**2)
    quarter = np.array([[reach, -arm], [reach, arm], [arm, arm]])
    turns = [np.array([[c, s], [-s, c]]) for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))]
    return np.concatenate([quarter @ turn for turn in turns])


_OUTLINES = {
    'circle': [_corners([1.0] * 48)],
    'crescent': [_crescent()],
    'cross': [_cross()],
    'diamond': [_corners([1.0, 0.55] * 2)],
    'ring': [_corners([1.0] * 48), _corners([0.58] * 48)],
    'square': [_corners([1.0] * 4)],
    'star': [_corners([1.0, 0.42] * 5)],
    'triangle': [_corners([1.0] * 3)],
}
#: Radii of holes where the usual one would leave too little around it.
_HOLES = {'cross': 0.26, 'star': 0.27, 'triangle': 0.3}
