"""What settings may be, beside ``'auto'``."""

import math
from typing import Any

from lgd_mm.errors import UserError

AUTO = 'auto'
AMP = ('fp16', 'bf16', 'off')
OPTIMIZERS = ('sgd', 'adamw')
RECIPES = ('dense', 'published')
#: Processes that load for one device: all are started at once, and each takes some hundred megabytes.
MOST_WORKERS = 256


def check_value(name: str, value: Any) -> None:
    """Refuse a given value that cannot be.

    Args:
        name (str): Of the setting.
        value (Any): Not ``'auto'``.

    Raises:
        UserError: Says what it may be.
    """
    words = dict(amp=AMP, optimizer=OPTIMIZERS, recipe=RECIPES)
    if name in words:
        known = words[name]
        if value not in known:
            raise UserError(f'{name} is {value!r}: give {AUTO}, {", ".join(known)}')
        return
    if name == 'lr':
        if not isinstance(value, (int, float)) or not 0 < value < math.inf:
            raise UserError(f'lr is {value!r}: give {AUTO} or a number above 0')
        return
    least = dict(workers=0, image_size=32).get(name, 1)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UserError(f'{name} is {value!r}: give {AUTO} or a whole number of at least {least}')
    if name == 'workers' and value > MOST_WORKERS:
        raise UserError(f'workers is {value}, and {MOST_WORKERS} processes for each device are the most that are '
                        f'started: give {AUTO}, or as many as there are cores')
