"""The order of an epoch, without a list of it."""

import numpy as np
from numpy.typing import NDArray

#: Rounds of the network; of a random function four make a random permutation (Luby and Rackoff, 1988), ours is a cheap
#: one.
ROUNDS = 8
#: An odd number with well mixed bits: 2**64 over the golden ratio.
ODD = np.uint64(0x9e3779b97f4a7c15)


class Permutation:
    """A permutation of the numbers from 0, each of which is computed when it is asked for.

    A Feistel network permutes the numbers below the next power of four; a number that it leads outside is led on until
    it comes back inside (Black and Rogaway, 2002), after 4 steps on average at most.

    Args:
        count (int): N, up to 2 ** 62.
        seed (int): Decides the permutation.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        bits = max(2, (count - 1).bit_length())
        self._half = np.uint64((bits + 1) // 2)
        self._low = (np.uint64(1) << self._half) - np.uint64(1)
        self._keys = np.random.SeedSequence([seed, count]).generate_state(ROUNDS, np.uint64)

    def at(self, positions: NDArray[np.int64], which: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
        """What stands at some positions.

        Args:
            positions (np.ndarray): From 0 to N - 1, of any number, (n, ).
            which (np.ndarray, optional): Numbers below 2 ** 32 (n, ), each of which is a permutation of its own.
                Defaults to None: all 0.

        Returns:
            np.ndarray: (n, ), int64.
        """
        tweaks = np.zeros(1, np.uint64) if which is None else which.astype(np.uint64) << np.uint64(32)
        tweaks = np.broadcast_to(tweaks, positions.shape)
        numbers = self._network(positions.astype(np.uint64), tweaks)
        outside = np.flatnonzero(numbers >= self.count)
        while len(outside):
            numbers[outside] = self._network(numbers[outside], tweaks[outside])
            outside = outside[numbers[outside] >= self.count]
        return numbers.astype(np.int64)

    def _network(self, numbers: NDArray[np.uint64], tweaks: NDArray[np.uint64]) -> NDArray[np.uint64]:
        left, right = numbers >> self._half, numbers & self._low
        for key in self._keys:
            left, right = right, left ^ (_mixed(right | tweaks, key) & self._low)
        return left << self._half | right


def _mixed(numbers: NDArray[np.uint64], key: np.uint64) -> NDArray[np.uint64]:
    """Numbers whose bits each depend on all bits of the given ones and of the key (the end of SplitMix64)."""
    mixed = (numbers ^ key) * ODD
    mixed = (mixed ^ mixed >> np.uint64(30)) * np.uint64(0xbf58476d1ce4e5b9)
    mixed = (mixed ^ mixed >> np.uint64(27)) * np.uint64(0x94d049bb133111eb)
    return mixed ^ mixed >> np.uint64(31)
