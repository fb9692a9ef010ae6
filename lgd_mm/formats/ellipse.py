"""The outline of an ellipse, or of a circle, as a polygon."""

import math

#: Points of the outline.
AROUND = 48


def ellipse(x: float, y: float, across: float, down: float) -> list[tuple[float, float]]:
    """Points on an ellipse.

    Args:
        x (float): Of its middle.
        y (float): Likewise.
        across (float): Radius.
        down (float): Likewise.
    """
    turns = (2 * math.pi * step / AROUND for step in range(AROUND))
    return [(x + across * math.cos(turn), y + down * math.sin(turn)) for turn in turns]
