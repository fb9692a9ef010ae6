"""Colours and textures of objects and backgrounds. All values are RGB in [0, 1]."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

#: Colour names in alphabetical order.
COLOURS = ('blue', 'green', 'orange', 'purple', 'red', 'yellow')

_HUES = {  # degrees: centre and half width; the gaps between them keep the names unambiguous
    'blue': (222, 16),
    'green': (125, 24),
    'orange': (27, 6),
    'purple': (283, 14),
    'red': (356, 8),
    'yellow': (56, 5),
}


#: Kinds of backgrounds that have a name in the harder world.
NAMED_GROUNDS = ('bricks', 'grid', 'waves')


def background(rng: np.random.Generator, size: int, field: NDArray[Any] | None = None) -> NDArray[Any]:
    """A surface between two colours of any hue, a quarter of them crossed by thin lines.

    Args:
        rng (np.random.Generator): Source of all choices.
        size (int): Height and width in pixels.
        field (np.ndarray, optional): Where it has which colour (size, size), in [0, 1]; by default a random texture.

    Returns:
        np.ndarray: Image (size, size, 3), float32.
    """
    hue, saturation, value = rng.uniform(0, 360), rng.uniform(0, 0.7), rng.uniform(0.15, 0.95)
    other = _rgb(hue + rng.normal(0, 40), rng.uniform(0, 0.7), np.clip(value + rng.uniform(-0.3, 0.3), 0.1, 1))
    ends = _rgb(hue, saturation, value), other
    field = pattern(rng, size) if field is None else field
    canvas = ends[0] + (ends[1] - ends[0]) * field[..., None]
    if rng.random() < 0.25:
        for _ in range(rng.integers(1, 5)):
            start, stop = rng.integers(0, size, (2, 2)).tolist()
            colour = _rgb(rng.uniform(0, 360), rng.uniform(0, 0.8), rng.uniform(0.1, 0.95))
            cv2.line(canvas, start, stop, colour.tolist(), 1, cv2.LINE_AA)
    return canvas


def ground(rng: np.random.Generator, size: int) -> tuple[str, NDArray[Any] | None]:
    """Choose a background of the harder world.

    Args:
        rng (np.random.Generator): Source of all choices.
        size (int): Height and width in pixels.

    Returns:
        tuple[str, np.ndarray | None]: Its name, and its field for :func:`background`. In the half that has no name:
        none, for a random texture, or zigzag lines.
    """
    name = (*NAMED_GROUNDS, '', '', '')[rng.integers(6)]
    if not name and rng.random() < 0.7:
        return name, None
    x, y = np.meshgrid(*[np.arange(size, dtype=np.float32)] * 2)
    x, y = x + rng.uniform(0, size), y + rng.uniform(0, size)
    period = rng.uniform(8, 14)
    if name == 'grid':
        near = np.minimum(x % period, y % period)
        return name, (near < 1.5).astype(np.float32)
    if name == 'bricks':
        shifted = x + period * (y // period % 2)
        return name, (np.minimum(y % period, shifted % (2 * period)) < 1.5).astype(np.float32)
    bend = np.sin(2 * np.pi * x / (2 * period)) if name else np.abs(x % period - period / 2) * 4 / period - 1
    return name, np.clip(0.5 + 2 * np.sin(2 * np.pi * (y + 0.3 * period * bend) / period), 0, 1).astype(np.float32)


def paint(rng: np.random.Generator, colour: str, size: int, texture: str = '', scale: float = 1) -> NDArray[Any]:
    """A textured surface of a named colour.

    Args:
        rng (np.random.Generator): Source of all choices.
        colour (str): One of :data:`COLOURS`.
        size (int): Height and width in pixels.
        texture (str): One of ``TEXTURES``, with light dots or else in a dark tone. By default a faint one
            at random.
        scale (float): Radius of the object, which its texture is in proportion to. Defaults to 1.

    Returns:
        np.ndarray: Image (size, size, 3), float32.
    """
    centre, spread = _HUES[colour]
    value = rng.uniform(0.7 if colour in ('orange', 'yellow') else 0.5, 1)  # darker ones are browns and olives
    base = _rgb(centre + rng.uniform(-spread, spread), rng.uniform(0.65, 1), value)
    if texture:
        ink = np.float32(1) if texture == 'dotted' else base * np.float32(0.15)
        return base + (ink - base) * (rng.uniform(0.75, 0.95) * _named_texture(rng, texture, scale, size)[..., None])
    depth = rng.uniform(0, 0.35)
    return base * (1 - depth * pattern(rng, size)[..., None])


def pattern(rng: np.random.Generator, size: int) -> NDArray[Any]:
    """A random texture: gradient, stripes, checks, dots, smooth or fine noise.

    Args:
        rng (np.random.Generator): Source of all choices.
        size (int): Height and width in pixels.

    Returns:
        np.ndarray: Field (size, size) in [0, 1], float32.
    """
    kind = rng.integers(6)
    if kind == 0:
        return rng.random((size, size), dtype=np.float32)
    if kind == 1:
        grid = rng.random((rng.integers(3, 9), ) * 2, dtype=np.float32)
        return np.clip(cv2.resize(grid, (size, size), interpolation=cv2.INTER_CUBIC), 0, 1)
    angle = rng.uniform(0, 2 * np.pi)
    axis = np.arange(size, dtype=np.float32) - size / 2
    u = np.cos(angle) * axis[None] + np.sin(angle) * axis[:, None]
    if kind == 2:
        return np.clip(0.5 + u / size, 0, 1)
    period = rng.uniform(4, 16)
    phase = rng.uniform(0, 2 * np.pi)
    waves = np.sin(2 * np.pi / period * u + phase)
    if kind == 3:
        return np.clip(0.5 + rng.uniform(0.5, 3) * waves, 0, 1)
    v = np.cos(angle) * axis[:, None] - np.sin(angle) * axis[None]
    product = waves * np.sin(2 * np.pi / period * v + phase)
    return np.clip(0.5 + 3 * product, 0, 1) if kind == 4 else np.clip(4 * product - 1, 0, 1)


def _named_texture(rng: np.random.Generator, texture: str, radius: float, size: int) -> NDArray[Any]:
    """Where a texture is dark, or its dots are (size, size), in [0, 1]."""
    angle = rng.uniform(0, 2 * np.pi)
    axis = np.arange(size, dtype=np.float32)
    u, v = (np.cos(angle) * axis[None] + np.sin(angle) * axis[:, None] + rng.uniform(0, size),
            np.cos(angle) * axis[:, None] - np.sin(angle) * axis[None] + rng.uniform(0, size))
    period = radius * rng.uniform(*{'chequered': (0.8, 0.95)}.get(texture, (0.55, 0.7)))
    across, along = np.sin(2 * np.pi * u / period), np.sin(2 * np.pi * v / period)
    if texture == 'striped':
        field = 0.5 + 2 * across
    elif texture == 'chequered':
        field = 0.5 + 3 * across * along
    elif texture == 'dotted':
        field = 2 * (across + along) - 1
    else:
        field = np.zeros_like(across)
    return np.clip(field, 0, 1).astype(np.float32)


def _rgb(hue: float, saturation: float, value: float) -> NDArray[Any]:
    """A colour (3) from hue in degrees, saturation and value."""
    distance = np.abs((hue / 60 - np.array([0, 2, 4]) + 3) % 6 - 3)  # from red, green, blue, in sixths of a turn
    return (value * (1 - saturation * np.clip(distance - 1, 0, 1))).astype(np.float32)
