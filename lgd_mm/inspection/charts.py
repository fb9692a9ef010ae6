"""Sizes of images and of objects as charts."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from lgd_mm.inspection.facts import Inspection
from lgd_mm.report.charts import INK, SERIES, described, new_figure, svg_element

#: Points of a chart; of more, as many at even distances.
POINTS = 2000
#: Sides that COCO calls those of medium and of large objects, in pixels.
MEDIUM, LARGE = 32, 96
BINS = 24


def size_charts(found: Inspection) -> list[tuple[str, Markup]]:
    """Charts with their titles.

    Args:
        found (Inspection): The set.

    Returns:
        list[tuple[str, Markup]]: Of the images, and of the objects if there are some.
    """
    charts = []
    if found.sizes:
        charts.append(('Width and height of the images, in pixels', _images(found)))
    sides = [(item.box[2] * item.box[3])**0.5 for images in found.parts.values() for image in images
             for item in image.objects]
    if sides:
        charts.append(('Objects by the side of a square as large, in pixels', _objects(sides)))
    return charts


def _images(found: Inspection) -> Markup:
    sizes = [(size.width, size.height) for size in found.sizes.values()]
    shown = np.array(sizes[::-(-len(sizes) // POINTS)])
    figure, axes = new_figure(3.2, 2.6)
    axes.plot(shown[:, 0], shown[:, 1], 'o', color=SERIES[1], markersize=4, alpha=0.25, markeredgewidth=0)
    axes.set_xlabel('width', color=INK)
    axes.set_ylabel('height', color=INK)
    axes.set_xlim(0, 1.08 * max(width for width, _ in sizes))
    axes.set_ylim(0, 1.08 * max(height for _, height in sizes))
    axes.grid(color=INK, alpha=0.12, linewidth=0.8)
    axes.locator_params(nbins=4)
    width, height = np.median(sizes, axis=0)
    return described(svg_element(figure, 'image-sizes'), 'image-sizes', 'Sizes of the images',
                     f'{len(sizes):,} images; the median is {width:.0f} x {height:.0f} pixels')


def _objects(sides: Sequence[float]) -> Markup:
    values = np.maximum(sides, 1)
    figure, axes = new_figure(3.2, 2.6)
    bins = np.geomspace(max(1, values.min() * 0.9), values.max() * 1.1, BINS)
    axes.hist(values, bins=bins.tolist(), color=SERIES[2])
    axes.set_xscale('log')
    for side in (MEDIUM, LARGE):
        axes.axvline(side, color=INK, linewidth=0.9, alpha=0.6, linestyle=(0, (3, 3)))
    ticks = [side for side in (1, 2, 4, 8, 16, 32, 96, 256, 640, 2000, 8000) if bins[0] <= side <= bins[-1]]
    axes.set_xticks(ticks, list(map(str, ticks)))
    axes.minorticks_off()
    axes.set_ylabel('objects', color=INK)
    axes.locator_params(axis='y', nbins=4)
    small, large = (values < MEDIUM).mean(), (values >= LARGE).mean()
    return described(svg_element(figure, 'object-sizes'), 'object-sizes', 'Sizes of the objects',
                     f'{small:.0%} are below {MEDIUM} x {MEDIUM} pixels, {large:.0%} are {LARGE} x {LARGE} or larger')
