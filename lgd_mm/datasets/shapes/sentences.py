"""What people might write below an image of the world."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from lgd_mm.datasets.shapes.scene import Scene, SceneObject

NUMBERS = ('no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine')
#: How much further apart two objects must be in one direction than in the other for a relation to have a name.
CLEAR = 1.5


def sentences(scene: Scene, rng: np.random.Generator, number: int = 5) -> list[str]:
    """Captions of an image, all true: what there is, how many of it, and what lies where.

    Args:
        scene (Scene): The image.
        rng (np.random.Generator): Source of all choices.
        number (int): Of captions. Defaults to 5, as COCO has.

    Returns:
        list[str]: In lower case, without a full stop.
    """
    forms = (_listed, _there_is, _related, _related, _counted)
    return [forms[index % len(forms)](scene.objects, rng) for index in range(number)]


def relation(first: SceneObject, second: SceneObject) -> str | None:
    """Where one object lies, seen from another: ``left of``, ``right of``, ``above`` or ``below`` it, or neither
    clearly.

    Args:
        first (SceneObject): What is told.
        second (SceneObject): Beside what.
    """
    (x, y), (other_x, other_y) = _centre(first), _centre(second)
    across, down = x - other_x, y - other_y
    if abs(across) > CLEAR * abs(down):
        return 'left of' if across < 0 else 'right of'
    if abs(down) > CLEAR * abs(across):
        return 'above' if down < 0 else 'below'
    return None


def _listed(objects: Sequence[SceneObject], rng: np.random.Generator) -> str:
    return _joined(_groups([item.phrase for item in objects]), rng)


def _there_is(objects: Sequence[SceneObject], rng: np.random.Generator) -> str:
    groups = _groups([item.phrase for item in objects])
    listed = _joined(groups, rng)
    return f'there {"is" if listed.startswith(("a ", "an ")) else "are"} {listed}'


def _related(objects: Sequence[SceneObject], rng: np.random.Generator) -> str:
    """Of two objects that no other one looks like, or else a list."""
    once = Counter(item.phrase for item in objects)
    pairs = [(first, second, where) for first in objects for second in objects
             if first is not second and once[first.phrase] == once[second.phrase] == 1
             and (where := relation(first, second))]
    if not pairs:
        return _listed(objects, rng)
    first, second, where = pairs[rng.integers(len(pairs))]
    return f'{_with_article(first.phrase)} {where} {_with_article(second.phrase)}'


def _counted(objects: Sequence[SceneObject], rng: np.random.Generator) -> str:
    number = len(objects)
    return f'{NUMBERS[number]} shape{"s" * (number > 1)}: {_joined(_groups([item.phrase for item in objects]), rng)}'


def _groups(phrases: Sequence[str]) -> list[str]:
    return [_with_article(phrase) if count == 1 else f'{NUMBERS[count]} {plural(phrase)}'
            for phrase, count in sorted(Counter(phrases).items())]


def _joined(groups: list[str], rng: np.random.Generator) -> str:
    """In any order, as nobody sees which is the first."""
    groups = [groups[index] for index in rng.permutation(len(groups))]
    return groups[0] if len(groups) == 1 else f'{", ".join(groups[:-1])} and {groups[-1]}'


def plural(phrase: str) -> str:
    """Of a name, with or without its colour: ``red crosses``."""
    return phrase + ('es' if phrase.endswith('s') else 's')


def _with_article(phrase: str) -> str:
    return f'{"an" if phrase[0] in "aeiou" else "a"} {phrase}'


def _centre(item: SceneObject) -> tuple[float, float]:
    left, top, width, height = item.box
    return left + width / 2, top + height / 2
