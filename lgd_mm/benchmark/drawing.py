"""Boxes, masks and segments drawn over a picture, legible however small the picture is."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

#: Grey that is legible on white and on black: the ground of the drawings is transparent.
INK = '#7d848f'

#: Colours that are easily told apart, RGB.
PALETTE = ((230, 25, 75), (60, 180, 75), (255, 225, 25), (0, 130, 200), (245, 130, 48), (145, 30, 180), (70, 240, 240),
           (240, 50, 230))


class Instances(NamedTuple):
    """Objects of one picture.

    Attributes:
        boxes (np.ndarray): Corners (N, 4): left, top, right, bottom in pixels.
        labels (np.ndarray): Classes (N, ), int.
        masks (np.ndarray): Pixels (N, H, W), bool.
        scores (np.ndarray, optional): Of predictions (N, ).
    """

    boxes: np.ndarray
    labels: np.ndarray
    masks: np.ndarray
    scores: np.ndarray | None


def class_colours(classes: Sequence[str]) -> np.ndarray:
    """Colours of classes: by the order of their names, so that two tasks with the same names share them.

    Args:
        classes (Sequence[str]): Names of the classes; ``'background'`` is grey.

    Returns:
        np.ndarray: RGB colours (C, 3) in [0, 1].
    """
    names = sorted(set(classes) - {'background'})
    colours = {name: PALETTE[index % len(PALETTE)] for index, name in enumerate(names)}
    return np.array([colours.get(name, (110, 110, 110)) for name in classes]) / 255


def draw_instances(axes: Axes, instances: Instances, classes: Sequence[str], colours: np.ndarray) -> None:
    """Draw boxes, masks, names and scores.

    Args:
        axes (Axes): Shows the picture already, one unit for each pixel.
        instances (Instances): The objects.
        classes (Sequence[str]): Names of the classes.
        colours (np.ndarray): RGB colours (C, 3) of the classes, in [0, 1].
    """
    for index, (label, (left, top, right, bottom)) in enumerate(zip(instances.labels, instances.boxes)):
        colour = colours[label]
        axes.imshow(np.where(instances.masks[index, ..., None], (*colour, 0.45), 0.0), interpolation='nearest')
        axes.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=colour, linewidth=1.5))
        score = '' if instances.scores is None else f' {instances.scores[index]:.2f}'
        axes.text(max(left, 2), max(top, 10), classes[label] + score, color='white', fontsize=7.5, clip_on=True,
                  bbox=dict(facecolor=np.asarray(colour) * 0.5, edgecolor='none', alpha=0.85, pad=1.2))


def draw_segments(axes: Axes, segments: np.ndarray, classes: Sequence[str], colours: np.ndarray) -> None:
    """Colour the pixels by their class.

    Args:
        axes (Axes): Shows the picture already, one unit for each pixel.
        segments (np.ndarray): Class of each pixel (H, W); a number beyond the classes is an ignored pixel.
        classes (Sequence[str]): Names of the classes.
        colours (np.ndarray): RGB colours (C, 3) of the classes, in [0, 1].
    """
    overlay = np.zeros((*segments.shape, 4))
    for label in np.unique(segments[segments < len(classes)]):
        overlay[segments == label] = (*colours[label], 0.62)
    axes.imshow(overlay, interpolation='nearest')


def add_legend(figure: Figure, classes: Sequence[str], colours: np.ndarray) -> None:
    """Name the classes' colours below all panels.

    Args:
        figure (Figure): In constrained layout.
        classes (Sequence[str]): Names of the classes.
        colours (np.ndarray): RGB colours (C, 3) of the classes, in [0, 1].
    """
    figure.legend([Patch(color=colour) for colour in colours], classes, loc='outside lower center', ncols=len(classes),
                  frameon=False, fontsize=8.5, labelcolor=INK, handlelength=0.9, handleheight=0.9, handletextpad=0.4,
                  columnspacing=1.0, borderpad=0.1)
