"""Colours for the classes of a data set of one's own."""

import colorsys


def class_colours(count: int) -> list[tuple[int, int, int]]:
    """Colours around the circle, in two brightnesses.

    Args:
        count (int): Number of classes.

    Returns:
        list[tuple[int, int, int]]: RGB, 0-255, one for each.
    """
    colours = (colorsys.hsv_to_rgb(index / count, 0.75, 0.95 if index % 2 else 0.65) for index in range(count))
    return [(round(255 * red), round(255 * green), round(255 * blue)) for red, green, blue in colours]
