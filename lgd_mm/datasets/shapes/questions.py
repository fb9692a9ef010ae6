"""What people might ask about an image of the world, and the answers."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from lgd_mm.datasets.shapes.scene import Scene, SceneObject
from lgd_mm.datasets.shapes.sentences import plural, relation
from lgd_mm.datasets.shapes.surfaces import COLOURS

#: The relation that a question turns around.
OPPOSITE = {'left of': 'right of', 'right of': 'left of', 'above': 'below', 'below': 'above'}


@dataclass(frozen=True)
class Question:
    """A question with one answer.

    Attributes:
        kind (str): ``colour``, ``shape``, ``count``, ``presence`` or ``place``.
        text (str): In lower case, without a question mark.
        answer (str): A word, or a number in digits.
    """

    kind: str
    text: str
    answer: str


def questions(scene: Scene, names: list[str], rng: np.random.Generator) -> list[Question]:
    """Questions about an image, at most one of each kind, in an order that stays.

    Their words do not tell the answer: yes and no come as often, numbers of what is not there and of what is, and what
    is not there looks in part like what is.

    Args:
        scene (Scene): The image.
        names (list[str]): Of the world's categories.
        rng (np.random.Generator): Source of all choices.
    """
    found = (_colour(scene, rng), _shape(scene, rng), _count(scene, names, rng), _presence(scene, names, rng),
             _place(scene, rng))
    return [question for question in found if question]


def answers(names: list[str], most: int) -> list[str]:
    """All that there are.

    Args:
        names (list[str]): Of the world's categories.
        most (int): Objects of an image.
    """
    return ['yes', 'no', *map(str, range(most + 1)), *COLOURS, *names]


def _colour(scene: Scene, rng: np.random.Generator) -> Question | None:
    once = _once(scene, [item.name for item in scene.objects])
    if not once:
        return None
    item = once[rng.integers(len(once))]
    return Question('colour', f'what colour is the {item.name}', item.colour)


def _shape(scene: Scene, rng: np.random.Generator) -> Question | None:
    once = _once(scene, [item.colour for item in scene.objects])
    if not once:
        return None
    item = once[rng.integers(len(once))]
    return Question('shape', f'which shape is {item.colour}', item.name)


def _count(scene: Scene, names: list[str], rng: np.random.Generator) -> Question:
    """Of a colour, of a shape, or of all; a third of it is not there."""
    by = ('colour', 'name', 'all')[rng.integers(3)]
    if by == 'all':
        return Question('count', 'how many shapes are there', str(len(scene.objects)))
    there = [getattr(item, by) for item in scene.objects]
    absent = [value for value in (COLOURS if by == 'colour' else names) if value not in there]
    some = absent if absent and rng.random() < 1 / 3 else there
    value = some[rng.integers(len(some))]
    what = f'{value} shapes' if by == 'colour' else plural(value)
    return Question('count', f'how many {what} are there', str(there.count(value)))


def _presence(scene: Scene, names: list[str], rng: np.random.Generator) -> Question:
    there = {(item.colour, item.name) for item in scene.objects}
    some = sorted(there)
    colour, name = some[rng.integers(len(some))]
    answer = 'yes'
    if rng.random() < 0.5:  # what is not there has the colour or the shape of what is
        near = [pair for pair in (*((other, name) for other in COLOURS), *((colour, other) for other in names))
                if pair not in there]
        (colour, name), answer = near[rng.integers(len(near))], 'no'
    return Question('presence', f'is there a {colour} {name}', answer)


def _place(scene: Scene, rng: np.random.Generator) -> Question | None:
    once = _once(scene, [item.phrase for item in scene.objects])
    pairs = [(first, second, where) for first in once for second in once
             if first is not second and (where := relation(first, second))]
    if not pairs:
        return None
    first, second, where = pairs[rng.integers(len(pairs))]
    answer = 'yes'
    if rng.random() < 0.5:
        where, answer = OPPOSITE[where], 'no'
    return Question('place', f'is the {first.phrase} {where} the {second.phrase}', answer)


def _once(scene: Scene, values: list[str]) -> list[SceneObject]:
    """Objects that no other one shares its value with."""
    counts = Counter(values)
    return [item for item, value in zip(scene.objects, values) if counts[value] == 1]
