"""One image of the world: objects that may hide parts of each other on a background."""

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lgd_mm.datasets.shapes.outlines import outline
from lgd_mm.datasets.shapes.surfaces import COLOURS, background, ground, paint
from lgd_mm.datasets.shapes.things import Thing
from lgd_mm.datasets.shapes.worlds import WORLDS, View, World

#: Smallest distance in RGB (0-1) between an object's mean colour and that of what it covers; its rim is not counted.
CONTRAST = 0.3

#: Of the objects of a world with distractors, this part are such.
_DISTRACTING = 0.3
#: Grey of a rim, which has the same light as the rest.
_RIM = np.float32(0.97)
_SUBPIXEL_BITS = 6


@dataclass(frozen=True)
class SceneObject:
    """What is known of one object.

    Attributes:
        thing (Thing): Its shape, and its texture and part where they have a name.
        colour (str): One of ``COLOURS``.
        mask (np.ndarray): Its visible pixels (H, W), bool.
    """

    thing: Thing
    colour: str
    mask: NDArray[Any]

    @property
    def shape(self) -> str:
        """One of ``SHAPES``."""
        return self.thing.shape

    @property
    def name(self) -> str:
        """Its name without the colour, such as ``star``."""
        return self.thing.name

    @property
    def phrase(self) -> str:
        """Its name, such as ``red star``."""
        return f'{self.colour} {self.name}'

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
        objects (tuple[SceneObject, ...]): What it shows and has a label.
        distractors (tuple[SceneObject, ...]): What it shows besides; nothing else is drawn.
        ground (str): Name of the background, if it has one.
    """

    image: NDArray[Any]
    objects: tuple[SceneObject, ...]
    distractors: tuple[SceneObject, ...] = ()
    ground: str = ''


def draw_scene(
        rng: np.random.Generator,
        size: int,
        most: int = 1,
        shape: str | None = None) -> Scene:
    """Draw an image of the first world's objects, 22-44 px large.

    Args:
        rng (np.random.Generator): Source of all choices; the same state gives the same image.
        size (int): Height and width in pixels.
        most (int): One to this many objects are tried; one that would hide too much is left out. Defaults to 1.
        shape (str, optional): Shape of the objects; by default each is drawn at random.

    Returns:
        Scene: The image with at least one object.
    """
    return draw_view(rng, View(size, most), WORLDS['shapes'], (Thing(shape), ) if shape else None)


def draw_view(rng: np.random.Generator, view: View, world: World, things: tuple[Thing, ...] | None = None) -> Scene:
    """Draw an image.

    Args:
        rng (np.random.Generator): Source of all choices; the same state gives the same image.
        view (View): Size of the image, and number and sizes of its objects.
        world (World): What occurs.
        things (tuple[Thing, ...], optional): What the objects are, all of which count as labelled. By default the
            world's categories, and its distractors between them.

    Returns:
        Scene: The image with at least one labelled object.
    """
    name, field = ground(rng, view.size) if world.grounds else ('', None)
    canvas = background(rng, view.size, field)
    seen: list[SceneObject] = []
    whole: list[int] = []  # pixels of each object if nothing hid it
    distractors = world.distractors if things is None else ()
    labelled = things or world.categories
    wanted = rng.integers(1, view.most + 1)
    for _ in range(6 * wanted):
        if len(seen) == wanted:
            break
        choice = distractors if distractors and rng.random() < _DISTRACTING else labelled
        thing = choice[rng.integers(len(choice)) if len(choice) > 1 else 0]
        colour = COLOURS[rng.integers(len(COLOURS))]
        radius = rng.uniform(*view.diameters) / 2
        alpha, rim, area = _silhouette(rng, thing, radius, view.size)
        mask = alpha > 127
        left = [other.mask & ~mask for other in seen]
        if (any(rest.sum() < view.visible * full for rest, full in zip(left, whole))
                or mask.sum() < view.visible * area):
            continue
        surface = paint(rng, colour, view.size, thing.texture, radius)
        if np.linalg.norm(surface[mask].mean(axis=0) - canvas[mask].mean(axis=0)) < CONTRAST:
            continue
        if thing.part == 'rim':
            surface += rim[..., None] / np.float32(255) * (_RIM - surface)
        canvas += alpha[..., None] / np.float32(255) * (surface - canvas)
        seen = [replace(other, mask=rest) for other, rest in zip(seen, left)]
        seen.append(SceneObject(thing, colour, mask))
        whole.append(area)
    objects = tuple(item for item in seen if item.thing in labelled)
    if not objects:  # no try could be seen well enough
        return draw_view(rng, view, world, things)
    return Scene(_develop(rng, canvas), objects, tuple(item for item in seen if item.thing not in labelled), name)


def _silhouette(rng: np.random.Generator, thing: Thing, radius: float,
                size: int) -> tuple[NDArray[Any], NDArray[Any], int]:
    """Coverage (size, size) of an object in 0-255, that of its rim, and its pixels if the border did not cut it."""
    angle = rng.uniform(0, 2 * np.pi)
    squeeze = rng.uniform(0.85, 1)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    polygons = [radius * polygon * (1, squeeze) @ turn for polygon in outline(thing.shape, thing.part == 'hole')]
    centre = rng.uniform(0.8 * radius, size - 0.8 * radius, 2)
    points = [np.round((polygon + centre) * 2**_SUBPIXEL_BITS).astype(np.int32) for polygon in polygons]
    alpha, rim = np.zeros((2, size, size), np.uint8)
    cv2.fillPoly(alpha, points, 255, cv2.LINE_AA, _SUBPIXEL_BITS)
    if thing.part == 'rim':  # half of the line is beyond the object
        cv2.polylines(rim, points, True, 255, max(2, round(0.22 * radius)), cv2.LINE_AA, _SUBPIXEL_BITS)
    areas = [abs(cv2.contourArea(polygon.astype(np.float32))) for polygon in polygons]
    return alpha, rim, int(areas[0] - sum(areas[1:]))


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
