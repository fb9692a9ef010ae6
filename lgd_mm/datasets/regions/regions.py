"""The regions of an image, and the form in which a model of vision and language takes them."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Numbers of a box behind each feature.
BOX = 6


class Regions(NamedTuple):
    """Of an image, by falling score.

    Attributes:
        boxes (np.ndarray): x1, y1, x2, y2 in pixels of the image as it is read (n, 4), float32.
        scores (np.ndarray): (n, ), float16.
        tags (np.ndarray): Numbers of the classes (n, ), int16; -1 of a region that has none, such as a cell of a grid.
        features (np.ndarray): (n, D), float16.
        size (tuple[int, int]): Width and height of the image in pixels.
    """

    boxes: NDArray[Any]
    scores: NDArray[Any]
    tags: NDArray[Any]
    features: NDArray[Any]
    size: tuple[int, int]


def with_boxes(regions: Regions) -> NDArray[Any]:
    """Features with their boxes behind them (`arXiv:2004.06165 <https://arxiv.org/abs/2004.06165>`_, Sec. 3).

    Args:
        regions (Regions): n of an image of W x H pixels.

    Returns:
        np.ndarray: (n, D + 6), float32: the feature, then x1 / W, y1 / H, x2 / W, y2 / H, w / W and h / H of the box.
    """
    corners = regions.boxes / np.tile(np.array(regions.size, np.float32), 2)
    sides = corners[:, 2:] - corners[:, :2]
    return np.concatenate([regions.features, corners, sides], axis=1, dtype=np.float32)


def grid_cells(grid: int, size: tuple[int, int]) -> NDArray[Any]:
    """The cells of an image.

    Args:
        grid (int): G, of the rows and of the columns.
        size (tuple[int, int]): Width and height of the image in pixels.

    Returns:
        np.ndarray: Boxes (G * G, 4), float32, row by row.
    """
    rows, columns = (each.ravel() for each in np.mgrid[:grid, :grid])
    corners = np.stack([columns, rows, columns + 1, rows + 1], axis=1) / grid
    return (corners * np.tile(size, 2)).astype(np.float32)
