"""Where other crops of an image lie in a view of it."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from numpy.typing import NDArray

from lgd_mm.datasets.views.view import View

#: At least this share of a crop lies inside the view: four fifths.
INSIDE = 4, 5
#: At most this share of the view is covered by it, so that it says more than the view: three fifths.
COVERED = 3, 5
Box = tuple[float, float, float, float]


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


def crops_inside(view: View, crops: NDArray[Any]) -> Iterator[tuple[int, Box]]:
    """Find the crops of an image that lie inside a view of it and are clearly smaller.

    Args:
        view (View): Of the image.
        crops (np.ndarray): Top, left, height and width in pixels of the image (N, 4), integers.

    Yields:
        tuple[int, Box]: Which of the crops, and where it lies: left, top, right and bottom as shares of the view's
        width and height, mirrored if it is and clipped to it.
    """
    view_top, view_left, view_height, view_width = view[:4]
    most = view_height * view_width * COVERED[0]
    for number, (top, left, height, width) in enumerate(crops.tolist()):  # of so few, faster than by NumPy
        top, left = top - view_top, left - view_left
        bottom, right = min(top + height, view_height), min(left + width, view_width)
        top, left = max(top, 0), max(left, 0)
        shared = (bottom - top) * (right - left)  # of whole numbers, so the limits are met exactly
        if (top < bottom and left < right and shared * INSIDE[1] >= height * width * INSIDE[0]
                and shared * COVERED[1] <= most):
            left, right = left / view_width, right / view_width
            if view.flip:
                left, right = 1 - right, 1 - left
            yield number, (left, top / view_height, right, bottom / view_height)
