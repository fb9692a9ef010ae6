"""One image of the world: objects that may hide parts of each other on a background."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lgd_mm.datasets.shapes.outlines import SHAPES, outline
from lgd_mm.datasets.shapes.surfaces import COLOURS, background, paint

#: Smallest and largest diameter of an object's enclosing circle, in pixels of any image.
DIAMETERS = (22, 44)
#: At least this part of every object is to be seen: neither hidden by others nor beyond the border.
VISIBLE = 0.7

#: Smallest distance in RGB (0-1) between an object's mean colour and that of what it covers.
CONTRAST = 0.3

_SUBPIXEL_BITS = 6


@dataclass(frozen=True)
class SceneObject:
    """What is known of one object.

    Attributes:
        shape (str): One of ``SHAPES``.
        colour (str): One of ``COLOURS``.
        mask (np.ndarray): Its visible pixels (H, W), bool.
    """

    shape: str
    colour: str
    mask: NDArray[Any]

    @property
    def phrase(self) -> str:
        """Its name, such as ``red star``."""
        return f'{self.colour} {self.shape}'

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height of the visible pixels."""
        left, top, width, height = cv2.boundingRect(self.mask.astype(np.uint8))
        return left, top, width, height


@dataclass(frozen=True)
class Scene:
    """An image and its objects, those further back first.

    Attributes:
        image (np.ndarray): RGB image (H, W, 3), uint8.
        objects (tuple[SceneObject, ...]): What it shows; nothing else is drawn.
    """

    image: NDArray[Any]
    objects: tuple[SceneObject, ...]


def draw_scene(rng: np.random.Generator, size: int, most: int = 1, shape: str | None = None) -> Scene:
    """Draw an image.

    Args:
        rng (np.random.Generator): Source of all choices; the same state gives the same image.
        size (int): Height and width in pixels.
        most (int): One to this many objects are tried; one that would hide too much is left out. Defaults to 1.
        shape (str, optional): Shape of the objects; by default each is drawn at random.

    Returns:
        Scene: The image with at least one object.
    """
    canvas = background(rng, size)
    seen: list[SceneObject] = []
    whole: list[int] = []  # pixels of each object if nothing hid it
    wanted = rng.integers(1, most + 1)
    for _ in range(6 * wanted):
        if len(seen) == wanted:
            break
        name = shape or SHAPES[rng.integers(len(SHAPES))]
        colour = COLOURS[rng.integers(len(COLOURS))]
        alpha, area = _silhouette(rng, name, size)
        mask = alpha > 127
        left = [other.mask & ~mask for other in seen]
        if any(rest.sum() < VISIBLE * full for rest, full in zip(left, whole)) or mask.sum() < VISIBLE * area:
            continue
        surface = paint(rng, colour, size)
        if np.linalg.norm(surface[mask].mean(axis=0) - canvas[mask].mean(axis=0)) < CONTRAST:
            continue
        canvas += alpha[..., None] / np.float32(255) * (surface - canvas)
        seen = [SceneObject(other.shape, other.colour, rest) for other, rest in zip(seen, left)]
        seen.append(SceneObject(name, colour, mask))
        whole.append(area)
    if not seen:  # no try could be seen well enough
        return draw_scene(rng, size, most, shape)
    return Scene(_develop(rng, canvas), tuple(seen))


def _silhouette(rng: np.random.Generator, shape: str, size: int) -> tuple[NDArray[Any], int]:
    """Coverage (size, size) of an object in 0-255, and its pixels if the border did not cut it."""
    radius = rng.uniform(*DIAMETERS) / 2
    angle = rng.uniform(0, 2 * np.pi)
    squeeze = rng.uniform(0.85, 1)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    polygons = [radius * polygon * (1, squeeze) @ turn for polygon in outline(shape)]
    centre = rng.uniform(0.8 * radius, size - 0.8 * radius, 2)
    points = [np.round((polygon + centre) * 2**_SUBPIXEL_BITS).astype(np.int32) for polygon in polygons]
    alpha = np.zeros((size, size), np.uint8)
    cv2.fillPoly(alpha, points, 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    areas = [abs(cv2.contourArea(polygon.astype(np.float32))) for polygon in polygons]
    return alpha, int(areas[0] - sum(areas[1:]))


def _develop(rng: np.random.Generator, canvas: NDArray[Any]) -> NDArray[Any]:
    """Light falling in from one side, a colour cast, blur and noise, as a camera would add them."""
    size = len(canvas)
    near, far = rng.uniform(0.7, 1.15, 2).tolist()
    ramp = np.linspace(near, far, size, dtype=np.float32)
    light = ramp[:, None, None] if rng.random() < 0.5 else ramp[None, :, None]
    pixels: NDArray[Any] = canvas * light * rng.uniform(0.93, 1.07, 3).astype(np.float32)
    if rng.random() < 0.3:
        pixels = cv2.GaussianBlur(pixels, (3, 3), rng.uniform(0.4, 0.9))
    pixels += rng.normal(0, 1, pixels.shape).astype(np.float32) * np.float32(rng.uniform(0.005, 0.04))
    return np.round(255 * np.clip(pixels, 0, 1)).astype(np.uint8)
