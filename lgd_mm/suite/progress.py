"""How far a run is, read from its log."""

import re
from dataclasses import dataclass

#: ``Epoch(train)  [3][50/93]  ...``, ``Iter(train) [ 50/300]  ...`` or ``Epoch(test) [ 2/4]`` of mmengine's log.
LINE = re.compile(r'(?:Epoch|Iter)\((train|val|test)\)\s+(?:\[\s*(\d+)\])?\[\s*(\d+)/(\d+)\]')
LOSS = re.compile(r'\bloss: ([\d.]+)')


@dataclass(frozen=True)
class Progress:
    """Where a run is: share done in [0, 1] and its latest loss."""

    done: float
    loss: float | None


def parse_progress(line: str, epochs: int | None) -> Progress | None:
    """Read one line of mmengine's log.

    Args:
        line (str): The line.
        epochs (int, optional): Of an epoch-based training.

    Returns:
        Progress, optional: None if it tells nothing of training or testing.
    """
    match = LINE.search(line)
    if not match or match[1] == 'val':
        return None
    share = int(match[3]) / int(match[4])
    done = (int(match[2]) - 1 + share) / epochs if match[2] and epochs else share
    loss = LOSS.search(line)
    return Progress(done, float(loss[1]) if loss else None)
