"""How large the numbers of a config that came in a file may be."""

import math
import re

#: The largest number of all: queues have 128,000 entries, vocabularies a million.
LARGEST = 2**20
#: The largest fraction: FCOS ends its ranges with 1e8.
LARGEST_FRACTION = 1e9
#: The largest of what is not built, such as a seed.
LARGEST_PLAIN = 2**63
#: Parts of one kind, and all of them together: some networks compute something for each before they make it.
PARTS, ALL_PARTS = 1000, 10_000
#: All whole numbers in lists together, and the longest list.
ALL_LISTED, LONGEST = 2**20, 1000
#: Side of an image in pixels, and how many times as large one becomes, or as deep a network.
SIDE, TIMES = 8192, 10

OF_PARTS = re.compile(r'depth|layer|block|stage|module|branch|conv|repeat|level|stack|times|orders|fcs|outs$')
OF_WIDTHS = re.compile(r'channel|dim|size|width|feature')
OF_SIDES = re.compile(r'scale|size|pad|crop|edge|shape|width|height|divisor|views')
OF_TIMES = re.compile(r'ratio|factor')
OF_DEPTHS = re.compile(r'deepen|depth_mult')


class Numbers:
    """Looks at each number of one config.

    Args:
        called (str): Kind of the config, for messages.
        images (bool): Whether it reads images, rather than be a network.
    """

    def __init__(self, called: str, images: bool) -> None:
        self.called, self.images = called, images
        self.parts = self.listed = 0

    def fault(self, value: float, key: str) -> str | None:
        """Why a number is too large for its key; None if it is not.

        Args:
            value (float): Or a whole number.
            key (str): With the keys above it, and its place in lists.
        """
        whole = isinstance(value, int)
        if not whole and not math.isfinite(value):
            return f'no number that a {self.called} can have'
        if abs(value) > (LARGEST if whole else LARGEST_FRACTION):
            return f'more than {LARGEST if whole else int(LARGEST_FRACTION):,}: no {self.called} has such a size'
        names = [name for name in key.split('.') if not name.isdigit()]
        return (self.of_images if self.images else self.of_network)(abs(value), names[-1], key)

    def of_images(self, value: float, name: str, key: str) -> str | None:
        if OF_TIMES.search(name):
            return f'more than {TIMES}: no image grows as much' if value > TIMES else None
        return f'more than {SIDE:,}: no image is as large' if OF_SIDES.search(name) and value > SIDE else None

    def of_network(self, value: float, name: str, key: str) -> str | None:
        if name in ('size', 'crop_size', 'size_divisor', 'pad_size_divisor') and value > SIDE:
            return f'more than {SIDE:,}: no image is as large'
        if OF_DEPTHS.search(name) and value > TIMES:
            return f'more than {TIMES}: no {self.called} is as deep'
        if not isinstance(value, int):
            return None
        if OF_PARTS.search(name) and not OF_WIDTHS.search(name):
            self.parts += value
            if value > PARTS or self.parts > ALL_PARTS:
                return f'too many: no {self.called} has more than {PARTS:,} parts of one kind, or {ALL_PARTS:,} in all'
        elif key.rpartition('.')[2].isdigit():
            self.listed += value
            if self.listed > ALL_LISTED:
                return f'and the numbers in its lists are {self.listed:,} together: no {self.called} has such a size'
        return None
