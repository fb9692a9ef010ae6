"""Why a run failed, by its output."""

import re
from collections.abc import Sequence

#: The last line of a traceback; torchrun puts the rank before it.
RAISED = re.compile(r'(?:\[rank\d+\]: ?)?(?:\w+\.)*\w*(?:Error|Exception)(?::|$)')


def failure_reason(lines: Sequence[str]) -> str | None:
    """The most telling line: the tool's own ``error: ``, else an exception, else the last one.

    With several processes the last lines are the launcher's, which do not name the reason.

    Args:
        lines (Sequence[str]): Output of one start.

    Returns:
        str, optional: None if there was no output.
    """
    errors = [line for line in lines if line.startswith('error: ')]
    raised = [line for line in lines if RAISED.match(line) and 'ChildFailedError' not in line]
    return next((found[-1] for found in (errors, raised, list(filter(str.strip, lines))) if found), None)
