"""Measurements in processes of their own, where nothing else takes memory or computes."""

import subprocess
import sys
from collections.abc import Sequence

from lgd_mm.costs.report import Timing
from lgd_mm.errors import UserError
from lgd_mm.io.texts import parse_json
from lgd_mm.io.typed_json import from_json


def measured_apart(module: str, arguments: Sequence[object], what: str, cure: str = '') -> Timing:
    """Run a module that prints a :class:`Timing` as JSON.

    Args:
        module (str): Its name.
        arguments (Sequence[object]): As it takes them.
        what (str): What is measured, to begin the sentence about a failure.
        cure (str): To end it. Defaults to nothing.

    Returns:
        Timing: What it printed.

    Raises:
        UserError: If the process fails.
    """
    done = subprocess.run([sys.executable, '-m', module, *map(str, arguments)], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f'exit code {done.returncode}'])[-1]
        raise UserError(f'{what} could not be measured ({reason}): is there enough memory?{cure}')
    return from_json(Timing, parse_json(done.stdout.strip().splitlines()[-1], module), module, 'run it again')
