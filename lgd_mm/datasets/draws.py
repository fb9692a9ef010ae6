"""Which few images are drawn from many: a function of their number or labels, and of the draw."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lgd_mm.errors import UserError


def draw_of_each_class(labels: Sequence[int], shots: int, draw: int, classes: Sequence[str] | None = None) -> list[int]:
    """Draw as many images of each class.

    A draw puts the images of a class into an order, whose first ones are taken: those of 5 shots hold that of 1. The
    order of a class is that of no other, and follows from the draw and the places of its images in the list alone.

    Args:
        labels (Sequence[int]): Class of each image of a list.
        shots (int): Images of each class, at least 1.
        draw (int): Number of the draw, from 0.
        classes (Sequence[str], optional): Names of all classes, of which none may be without images. Defaults to None:
            those up to the highest label.

    Returns:
        list[int]: Places in the list, ascending.

    Raises:
        UserError: If a number is out of bounds, or a class has fewer images; names the class.
    """
    _check(draw)
    check_shot(shots)
    given = np.asarray(labels, dtype=np.int64)
    count = max(len(classes or ()), int(given.max(initial=-1)) + 1)
    numbers = np.bincount(given, minlength=count)
    poorest = int(numbers.argmin()) if count else 0
    if not count or numbers[poorest] < shots:
        name = classes[poorest] if classes and poorest < len(classes) else poorest
        has = int(numbers[poorest]) if count else 0
        raise UserError(f'{shots} images of each class are asked for, but class {name} has {has}: give more images of '
                        f'it{f", or shots={has}" if has else ""}')
    drawn = [np.flatnonzero(given == label)[_order(draw, numbers[label], label)[:shots]] for label in range(count)]
    return sorted(np.concatenate(drawn).tolist())


def check_shot(shots: int) -> None:
    """See that a number of images of each class is one.

    Raises:
        UserError: If it is not.
    """
    if isinstance(shots, bool) or not isinstance(shots, int) or shots < 1:
        raise UserError(f'shots={shots!r}: give a whole number of images of each class, 1 or more')


def draw_of_all(count: int, images: int | float, draw: int) -> list[int]:
    """Draw a number or a share of all images; a larger number of the same draw holds a smaller one.

    Args:
        count (int): How many there are.
        images (int | float): How many are taken; a float is their share, above 0 and at most 1.0, of which one image is
            the least.
        draw (int): Number of the draw, from 0.

    Returns:
        list[int]: Their places, ascending.

    Raises:
        UserError: If a number is out of bounds.
    """
    _check(draw)
    share = isinstance(images, float)
    if isinstance(images, bool) or not isinstance(images, (int, float)) or not (0 < images <= 1 if share else
                                                                                images >= 1):
        raise UserError(f'images={images!r}: give a number of images, 1 or more, or their share, such as 0.1')
    taken = max(1, round(images * count)) if share else int(images)
    if taken > count:
        raise UserError(f'{taken} images are asked for, and there are {count}: give images={count} or fewer')
    return sorted(_order(draw, count)[:taken].tolist())


def _order(draw: int, count: int, label: int = 0) -> NDArray[np.int_]:
    """numpy keeps what RandomState draws the same in all its versions, unlike its newer generators or torch's."""
    return np.random.RandomState([draw, label]).permutation(count)


def _check(draw: int) -> None:
    if isinstance(draw, bool) or not isinstance(draw, int) or not 0 <= draw < 2**32:
        raise UserError(f'draw={draw!r}: give the number of a draw, 0, 1, 2, ...')
