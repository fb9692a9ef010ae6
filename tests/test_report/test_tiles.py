"""Tiles of a page, of images of any shape."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image

from lgd_mm.report import tiles
from lgd_mm.report.tiles import draw_tile


def drawn(image, draw=lambda axes: None):
    with warnings.catch_warnings():
        warnings.simplefilter('error', Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(draw_tile(image, draw))).convert('RGB')


@pytest.mark.parametrize(('size', 'expected'), [
    ((40, 40), (312, 312)), ((100, 250), (312, 780)), ((10, 600), (312, 1248)), ((1, 200), (312, 1248)),
    ((20_000, 1), (312, 31)), ((65_000, 1), (312, 31)), ((1, 65_000), (312, 1248)), ((1, 1), (312, 312))])
def test_tiles_of_any_shape(size, expected):
    """Long ones have margins; what is drawn lies on the image's own pixels."""
    limits = []
    found = drawn(Image.new('RGB', size, (200, 0, 0)), lambda axes: limits.append((axes.get_xlim(), axes.get_ylim())))
    assert abs(np.subtract(found.size, expected)).max() <= 1
    assert limits == [((-0.5, size[0] - 0.5), (size[1] - 0.5, -0.5))]


def test_a_long_image_is_not_stretched():
    """In the middle, with its own sides; the margins are white."""
    pixels = np.asarray(drawn(Image.new('RGB', (10, 100), (200, 0, 0))))
    red = (abs(pixels.astype(int) - (200, 0, 0)) < 40).all(axis=2)
    assert abs(red[624].sum() - 125) < 5 and red[:, 156].mean() > 0.97 and pixels[600, 5].min() > 250


def test_large_images_are_made_smaller_first(monkeypatch):
    """matplotlib takes some ten times the bytes of what it is given."""
    monkeypatch.setattr(tiles, 'SIDE', 64)
    shapes = []
    drawn(Image.new('L', (500, 200)), lambda axes: shapes.append(axes.images[0].get_array().shape))
    assert shapes == [(26, 64, 3)]
