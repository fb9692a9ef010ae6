"""Where other crops of an image lie in a view of it."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lgd_mm.datasets.views.view import View

#: At least this share of a crop lies inside the view: four fifths.
INSIDE = 4, 5
#: At most this share of the view is covered by it, so that it says more than the view: three fifths.
COVERED = 3, 5


class Crops(NamedTuple):
    """Crops of a view and what a teacher says of each; NumPy arrays of one view, or tensors of a batch (B, ...).

    Attributes:
        boxes: Left, top, right and bottom in pixels of the view (K, 4).
        embeddings: The teacher's, not normalised (K, D).
        valid: Which of the K are there (K, ); boxes and embeddings of the others are zeros.
    """

    boxes: Any
    embeddings: Any
    valid: Any


def crops_inside(view: View, crops: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Find the crops of an image that lie inside a view of it and are clearly smaller.

    Args:
        view (View): Of the image.
        crops (np.ndarray): Top, left, height and width in pixels of the image (N, 4).

    Returns:
        tuple[np.ndarray, np.ndarray]: Which of the crops (n, ), and where they lie (n, 4): left, top, right and bottom
        as shares of the view's width and height, mirrored if it is and clipped to it.
    """
    top, left, height, width = view[:4]
    cut = crops.T.astype(np.float64)  # whole numbers, so the limits are met exactly; (4, N), where each loop is short
    area = cut[2] * cut[3]
    cut -= ((top, ), (left, ), (0, ), (0, ))
    cut[2:] += cut[:2]
    np.maximum(cut, 0, out=cut)
    np.minimum(cut, ((height, ), (width, ), (height, ), (width, )), out=cut)
    rows, columns = cut[2:] - cut[:2]
    shared = rows * columns
    found = np.flatnonzero((rows > 0) & (columns > 0) & (shared * INSIDE[1] >= area * INSIDE[0])
                           & (shared * COVERED[1] <= height * width * COVERED[0]))
    boxes = cut[:, found][[1, 0, 3, 2]].T / (width, height, width, height)
    if view.flip:
        boxes[:, ::2] = 1 - boxes[:, 2::-2]
    return found, boxes
