"""Numbers of a command line that have a bound."""

import argparse
import math
from collections.abc import Callable


def at_least(least: int) -> Callable[[str], int]:
    """As the ``type`` of an argument: a whole number that is not below another one.

    Args:
        least (int): The other one.
    """
    def read(text: str) -> int:
        if not text.strip().isdigit() or int(text) < least:
            raise argparse.ArgumentTypeError(f'{text!r} is no whole number of at least {least}')
        return int(text)

    return read


def above_zero(text: str) -> float:
    """As the ``type`` of an argument: a number above 0.

    Args:
        text (str): As it was typed.
    """
    try:
        if 0 < (value := float(text)) < math.inf:
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f'{text!r} is no number above 0')
