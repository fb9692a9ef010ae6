"""Why a run failed, read from its output."""

import re
from collections.abc import Sequence

#: The last line of a traceback; torchrun puts the rank before it.
RAISED = re.compile(r'(?:\[rank\d+\]: ?)?(?:\w+\.)*\w*(?:Error|Exception)(?::|$)')


def cause(lines: Sequence[str]) -> str | None:
    """The line that tells most: the tool's own ``error: ``, else an exception, else the last one.

    Several processes end with what their launcher has to say, which is not the cause.

    Args:
        lines (Sequence[str]): Of the output of one start.

    Returns:
        str, optional: None if it said nothing.
    """
    told = [line for line in lines if line.startswith('error: ')]
    raised = [line for line in lines if RAISED.match(line) and 'ChildFailedError' not in line]
    return next((found[-1] for found in (told, raised, list(filter(str.strip, lines))) if found), None)
