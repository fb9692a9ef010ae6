"""Seeds of views: a function of the run's seed, the view's number and the image."""

import numpy as np
from numpy.typing import NDArray

#: Of NumPy's SeedSequence, which says that its results never change.
FIRST, FIRST_FACTOR, LAST, LAST_FACTOR = 0x43b0d7e5, 0x931e8875, 0x8b51f9dd, 0x58f38ded
LEFT, RIGHT, SHIFT = np.uint32(0xca01f9dd), np.uint32(0x4973f715), np.uint32(16)
#: Words of its pool.
POOL = 4


def view_seed(seed: int, number: int, index: int) -> int:
    """Seed of a view.

    Args:
        seed (int): Of the run.
        number (int): Of the view.
        index (int): Of the image.

    Returns:
        int: Below 2 ** 32.
    """
    return int(np.random.SeedSequence([seed, number, index]).generate_state(1)[0])


def view_seeds(seed: int, number: int, indices: NDArray[np.int64]) -> NDArray[np.uint32]:
    """Those of many images at a time, a hundredth of :func:`view_seed`'s time each.

    Args:
        seed (int): Of the run.
        number (int): Of the view.
        indices (np.ndarray): Of the images (n, ), each below 2 ** 32.

    Returns:
        np.ndarray: (n, ).
    """
    given = [*_words(seed), *_words(number)]
    if len(given) >= POOL or (len(indices) and int(indices.max()) >= 2**32):  # more words than the pool has
        return np.array([view_seed(seed, number, int(index)) for index in indices], np.uint32)
    factors = _factors(FIRST, FIRST_FACTOR)
    words: list[NDArray[np.uint32]] = [np.full(len(indices), word, np.uint32) for word in given]
    words += [indices.astype(np.uint32), *(np.zeros(len(indices), np.uint32) for _ in range(POOL - 1 - len(given)))]
    pool = [_hashed(word, factors) for word in words]
    for source in range(POOL):
        for target in range(POOL):
            if source != target:
                mixed = LEFT * pool[target] - RIGHT * _hashed(pool[source], factors)
                pool[target] = mixed ^ mixed >> SHIFT
    return _hashed(pool[0], _factors(LAST, LAST_FACTOR))


class _factors:  # noqa: N801 - a sequence of numbers, without end
    """Each number is the one before it times a factor."""

    def __init__(self, first: int, factor: int) -> None:
        self.number, self.factor = first, factor

    def __next__(self) -> tuple[np.uint32, np.uint32]:
        before, self.number = self.number, self.number * self.factor % 2**32
        return np.uint32(before), np.uint32(self.number)


def _hashed(words: NDArray[np.uint32], factors: _factors) -> NDArray[np.uint32]:
    before, factor = next(factors)
    hashed = (words ^ before) * factor
    return hashed ^ hashed >> SHIFT


def _words(number: int) -> list[int]:
    """A number in 32 bits each, the lowest first."""
    words = [number % 2**32]
    while number := number >> 32:
        words.append(number % 2**32)
    return words
