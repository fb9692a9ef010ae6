"""An order of an epoch in which images that lie near each other come near each other."""

import numpy as np
from numpy.typing import NDArray

from lgd_mm.datasets.permutation import Permutation

#: Images of a block, which lie one behind the other; blocks of a stream that are shuffled together; streams.
BLOCK, WINDOW, STREAMS = 256, 16, 64


class LocalPermutation:
    """A permutation of the numbers from 0 for images in shards, each of which is computed when it is asked for.

    Numbers that follow each other are a block. The blocks are permuted and dealt to streams; the images of a window,
    some blocks of a stream, are permuted among each other; and the streams take turns. Of R processes, where R divides
    the number of streams, each reads streams of its own, and of each a window of blocks at a time. The order itself
    depends on no process, so that any number of them goes on anywhere.

    The streams change their windows one after another, so that reading ahead is even work.

    Args:
        count (int): N, up to 2 ** 62.
        seed (int): Decides the permutation.

    Attributes:
        streams (int): A power of two, up to 64: fewer where there are few images.
        mixed (int): Images that are permuted at a time, in all streams.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count = count
        blocks = -(-count // BLOCK)
        self.streams = min(STREAMS, 2 ** (max(1, blocks // WINDOW).bit_length() - 1))
        self._window = min(WINDOW, -(-blocks // self.streams))
        rounds = -(-blocks // (self.streams * self._window))
        self._blocks = Permutation(rounds * self.streams * self._window, seed)
        self._block = -(-count // self._blocks.count)
        self._shuffled = Permutation(self._window * self._block, seed)
        self.mixed = min(count, self.streams * self._shuffled.count)

    def at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """What stands at some positions.

        Args:
            positions (np.ndarray): From 0 to N - 1, of any number, (n, ).

        Returns:
            np.ndarray: (n, ), int64.
        """
        numbers = self._with_gaps(positions)
        outside = np.flatnonzero(numbers >= self.count)  # the last block is not full
        while len(outside):
            numbers[outside] = self._with_gaps(numbers[outside])
            outside = outside[numbers[outside] >= self.count]
        return numbers

    def _with_gaps(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """Of full blocks."""
        place, stream = np.divmod(positions, self.streams)
        length = self._blocks.count // self.streams * self._block
        place = (place + stream * self._shuffled.count // self.streams) % length
        window, within = np.divmod(place, self._shuffled.count)
        slot, image = np.divmod(self._shuffled.at(within, window * self.streams + stream), self._block)
        return self._blocks.at((window * self._window + slot) * self.streams + stream) * self._block + image
