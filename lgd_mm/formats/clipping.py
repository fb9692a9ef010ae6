"""What of a polygon lies within its image."""

from collections.abc import Sequence

from lgd_mm.own_data.check_annotations import FEWEST_COORDINATES


def clipped(polygon: Sequence[float], size: Sequence[float]) -> list[float]:
    """Cut a polygon along the sides of its image (Sutherland and Hodgman, CACM 17(1), 1974).

    Moving its points to the rim instead would bend the sides that leave the image, and cover other pixels.

    Args:
        polygon (Sequence[float]): x1, y1, x2, y2, ... in pixels.
        size (Sequence[float]): Width and height of the image.

    Returns:
        list[float]: Likewise; empty if nothing of it lies within.
    """
    points = list(zip(polygon[::2], polygon[1::2]))
    for axis in (0, 1):
        for bound, sign in ((0., 1), (float(size[axis]), -1)):
            points = _cut(points, axis, bound, sign)
    flat = [value for point in points for value in point]
    return flat if len(flat) >= FEWEST_COORDINATES else []


def _cut(points: Sequence[tuple[float, float]], axis: int, bound: float, sign: int) -> list[tuple[float, float]]:
    """What lies on one side of a line: above the bound of a coordinate, or below it if the sign is -1."""
    kept: list[tuple[float, float]] = []
    for before, point in zip([*points[-1:], *points[:-1]], points):
        far, near = (sign * (each[axis] - bound) for each in (before, point))
        if (far < 0) != (near < 0):
            share = far / (far - near)
            crossing = [one + share * (other - one) for one, other in zip(before, point)]
            crossing[axis] = bound
            kept.append((crossing[0], crossing[1]))
        if near >= 0:
            kept.append(point)
    return kept
