"""The generated worlds: what occurs in each, what has a name, and how large things are."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lgd_mm.datasets.shapes.outlines import SHAPES
from lgd_mm.datasets.shapes.surfaces import NAMED_GROUNDS
from lgd_mm.datasets.shapes.things import ABSENT, CATEGORIES, DISTRACTORS, Thing
from lgd_mm.errors import UserError


@dataclass(frozen=True)
class View:
    """How images of one kind look.

    Attributes:
        size (int): Height and width in pixels.
        most (int): An image has one to this many objects.
        diameters (tuple[int, int]): Smallest and largest diameter of an object's enclosing circle, in pixels.
        visible (float): At least this part of every object is to be seen: neither hidden by others nor beyond the
            border.
    """

    size: int
    most: int = 1
    diameters: tuple[int, int] = (22, 44)
    visible: float = 0.7


@dataclass(frozen=True)
class World:
    """All that the drawing and the writing of a world are told.

    Attributes:
        version (int): Raised when its drawing changes: an older world on disk is then not taken for this one.
        categories (tuple[Thing, ...]): What has a label, in the order of the labels, which is that of the names.
        single (View): Images of one object, for classification: ``zero_shot``, ``labelled`` and ``teacher_test``.
        teacher (View): Images that the teacher learns from.
        pretrain (View): Images for pre-training.
        scenes (View): Images for detection and segmentation.
        absent (tuple[Thing, ...]): What has a name and never occurs; only the teacher, who knows more than is asked of
            it, has seen it.
        distractors (tuple[Thing, ...]): What occurs without a label or a name: three objects in ten.
        grounds (bool): Whether there are backgrounds of :data:`NAMED_GROUNDS`.
        detection (tuple[int, int]): Training and validation images with boxes.
        segmentation (tuple[int, int]): The same with masks. More categories need more of both.
    """

    version: int
    categories: tuple[Thing, ...]
    single: View
    teacher: View
    pretrain: View
    scenes: View
    absent: tuple[Thing, ...] = ()
    distractors: tuple[Thing, ...] = ()
    grounds: bool = False
    detection: tuple[int, int] = (400, 100)
    segmentation: tuple[int, int] = (200, 100)

    @property
    def classes(self) -> list[str]:
        """Names of the categories."""
        return [thing.name for thing in self.categories]

    @property
    def names(self) -> list[str]:
        """Names for pre-training: also of what never occurs, and of backgrounds."""
        return [*self.classes, *(thing.name for thing in self.absent), *(NAMED_GROUNDS if self.grounds else ())]


WORLDS: Mapping[str, World] = MappingProxyType({
    'shapes': World(
        version=3,
        categories=tuple(map(Thing, SHAPES)),
        single=View(64),
        teacher=View(64, most=3),
        pretrain=View(64, most=3),
        scenes=View(128, most=4)),
    'harder': World(
        version=1,
        categories=CATEGORIES,
        single=View(64),
        teacher=View(64, most=2),
        pretrain=View(64, most=4, diameters=(16, 44), visible=0.5),
        scenes=View(160, most=9, diameters=(10, 64), visible=0.5),
        absent=ABSENT,
        distractors=DISTRACTORS,
        grounds=True,
        detection=(2000, 300),
        segmentation=(1000, 300)),
})


def find_world(name: str) -> World:
    """A world by its name.

    Raises:
        UserError: If there is none of this name.
    """
    if name not in WORLDS:
        raise UserError(f'no generated world is called {name!r}; there are: {", ".join(WORLDS)}')
    return WORLDS[name]
