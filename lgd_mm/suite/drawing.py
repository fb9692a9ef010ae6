"""Boxes, masks and segments drawn over an image, legible however small the image is."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import hsv_to_rgb
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

#: Colours that are easily told apart, RGB.
PALETTE = ((230, 25, 75), (60, 180, 75), (255, 225, 25), (0, 130, 200), (245, 130, 48), (145, 30, 180), (70, 240, 240),
           (240, 50, 230))
GOLDEN_RATIO = 0.618034


class Instances(NamedTuple):
    """Objects of one image.

    Attributes:
        boxes (np.ndarray): Corners (N, 4): left, top, right, bottom in pixels.
        labels (np.ndarray): Classes (N, ), int.
        masks (np.ndarray, optional): Pixels (N, H, W), bool.
        scores (np.ndarray, optional): Of predictions (N, ).
    """

    boxes: NDArray[Any]
    labels: NDArray[Any]
    masks: NDArray[Any] | None
    scores: NDArray[Any] | None


def class_colours(classes: Sequence[str]) -> NDArray[Any]:
    """Colours of classes: by the order of their names, so that two tasks with the same names share them.

    Args:
        classes (Sequence[str]): Names of the classes; ``'background'`` is grey.

    Returns:
        np.ndarray: RGB colours (C, 3) in [0, 1].
    """
    names = sorted(set(classes) - {'background'})
    colours = {name: _colour(index) for index, name in enumerate(names)}
    return np.array([colours.get(name, (0.43, 0.43, 0.43)) for name in classes])


def _colour(index: int) -> tuple[float, ...]:
    """One of the palette, and hues far from each other beyond it."""
    if index < len(PALETTE):
        return tuple(part / 255 for part in PALETTE[index])
    return tuple(hsv_to_rgb((index * GOLDEN_RATIO % 1, (0.85, 0.55)[index % 2], (0.9, 0.7, 0.5)[index % 3])))


def draw_instances(axes: Axes, instances: Instances, classes: Sequence[str], colours: NDArray[Any]) -> None:
    """Draw boxes, masks, names and scores.

    Args:
        axes (Axes): Shows the image already, one unit for each pixel.
        instances (Instances): The objects.
        classes (Sequence[str]): Names of the classes.
        colours (np.ndarray): RGB colours (C, 3) of the classes, in [0, 1].
    """
    width, height = axes.get_xlim()[1], axes.get_ylim()[0]
    for index, (label, (left, top, right, bottom)) in enumerate(zip(instances.labels, instances.boxes)):
        colour = colours[label]
        if instances.masks is not None:
            axes.imshow(np.where(instances.masks[index, ..., None], (*colour, 0.45), 0.0), interpolation='nearest')
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=1.5))
        score = '' if instances.scores is None else f' {instances.scores[index]:.2f}'
        at_right = left > 0.65 * width  # the name stays within the image
        axes.annotate(classes[label] + score, (right if at_right else left, max(top, 0.06 * height)),
                      (-1 if at_right else 1, 2), textcoords='offset points', ha='right' if at_right else 'left',
                      color='white', fontsize=7.5, clip_on=True, parse_math=False,
                      bbox=dict(facecolor=colour * 0.5, edgecolor='none', alpha=0.85, pad=1.2))


def draw_segments(axes: Axes, segments: NDArray[Any], colours: NDArray[Any]) -> None:
    """Colour the pixels by their class.

    Args:
        axes (Axes): Shows the image already, one unit for each pixel.
        segments (np.ndarray): Class of each pixel (H, W); a number beyond the classes is an ignored pixel.
        colours (np.ndarray): RGB colours (C, 3) of the classes, in [0, 1].
    """
    overlay = np.zeros((*segments.shape, 4))
    for label in np.unique(segments[segments < len(colours)]):
        overlay[segments == label] = (*colours[label], 0.62)
    axes.imshow(overlay, interpolation='nearest')
