"""One augmented view of one image, as numbers."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class View(NamedTuple):
    """What a view does to an image, in this order: crop and resize, jitter, grey, blur, flip.

    As numbers it is drawn once, may be kept beside the teacher's embedding of the view, and is applied by whichever
    machine has time for it.
    """

    top: float
    left: float
    height: float
    width: float  #: the crop, in pixels of the image
    flip: float  #: 1: mirrored
    brightness: float
    contrast: float
    saturation: float  #: factors; 1 changes nothing
    hue: float  #: shift in turns; 0 changes nothing
    order: float  #: which of ORDERS the four follow
    grey: float  #: 1: without colour
    sigma: float  #: of the blur, in pixels of the view; 0: none

    @classmethod
    def plain(cls, top: float, left: float, height: float, width: float) -> 'View':
        """A crop as it is in the image."""
        return cls(top, left, height, width, 0, 1, 1, 1, 0, 0, 0, 0)

    @classmethod
    def of(cls, numbers: NDArray[Any]) -> 'View':
        """The view that (12, ) numbers stand for."""
        return cls(*numbers.tolist())

    def numbers(self) -> NDArray[Any]:
        """As (12, ) float32: exact for crops in images of up to 16 million pixels a side."""
        return np.array(self, np.float32)


#: The operations of the colour jitter, as an order names them.
BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)
ORDERS = np.array([(a, b, c, d) for a in range(4) for b in range(4) for c in range(4) for d in range(4)
                   if len({a, b, c, d}) == 4])
