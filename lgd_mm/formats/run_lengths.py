"""Masks of single objects as COCO's compressed run lengths."""

from typing import Any

import cv2
import numpy as np
from faster_coco_eval.core import mask as coco_masks
from numpy.typing import NDArray

from lgd_mm.io.images import PIXELS


def placed(mask: NDArray[Any], left: int, top: int, width: int, height: int) -> NDArray[np.uint8]:
    """A small mask on the canvas of its image.

    Args:
        mask (NDArray): (h, w), whatever is not 0 is the object.
        left (int): Of its corner in the image; may be below 0.
        top (int): Likewise.
        width (int): Of the image.
        height (int): Of the image.

    Returns:
        NDArray: (H, W) of 0 and 1; what reaches beyond the image is cut off.
    """
    canvas = np.zeros((height, width), np.uint8)
    x, y = max(left, 0), max(top, 0)
    inner = mask[y - top:max(height - top, 0), x - left:max(width - left, 0)] != 0
    canvas[y:y + inner.shape[0], x:x + inner.shape[1]] = inner
    return canvas


def encoded(canvas: NDArray[np.uint8]) -> tuple[dict[str, Any], tuple[float, float, float, float]] | None:
    """Run lengths and box of a mask.

    Args:
        canvas (NDArray): (H, W) of 0 and 1.

    Returns:
        tuple, optional: ``dict(size=[H, W], counts=str)``, and x, y, width, height; None for an empty mask.
    """
    if not canvas.any():
        return None
    found = coco_masks.encode(np.asfortranarray(canvas))
    x, y, width, height = cv2.boundingRect(canvas)
    counts = found['counts']
    return (dict(size=[int(side) for side in found['size']], counts=counts.decode() if isinstance(counts, bytes) else
                 counts), (float(x), float(y), float(width), float(height)))


def drawn(outside: list[list[float]], holes: list[list[float]], width: int, height: int) -> NDArray[np.uint8]:
    """Polygons less their holes.

    Args:
        outside (list[list[float]]): Each x1, y1, x2, y2, ... in pixels.
        holes (list[list[float]]): Likewise; they are cut out.
        width (int): Of the image.
        height (int): Of the image.

    Returns:
        NDArray: (H, W) of 0 and 1, by COCO's rule of which pixels a polygon covers.
    """
    canvas = np.zeros((height, width), np.uint8)
    for polygons, value in ((outside, 1), (holes, 0)):
        for polygon in polygons:
            canvas[coco_masks.decode(coco_masks.frPyObjects([polygon], height, width))[..., 0] > 0] = value
    return canvas


def is_drawable(width: float, height: float) -> bool:
    """Whether an image is of a size of which a canvas is made."""
    return width >= 1 and height >= 1 and width * height <= PIXELS
