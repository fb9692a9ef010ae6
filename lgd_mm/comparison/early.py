"""What of a comparison can be known to be wrong before the libraries are imported."""

import os
from pathlib import Path

from lgd_mm.comparison.request import RECORD, SUITE, State
from lgd_mm.errors import UserError
from lgd_mm.io.lock import is_empty

#: With maps, without, and without any pre-training.
METHODS = ('dense', 'lgd', 'random')


def check_comparison_folder(out: str | Path, state: State | None) -> None:
    """See whether a comparison may use a folder.

    Args:
        out (str | Path): It may not exist.
        state (State, optional): What lies in it.

    Raises:
        UserError: If it holds something else.
    """
    if os.path.exists(out) and not os.path.isdir(out):
        raise UserError(f'out: {out} is a file: give a folder')
    if state is None and not is_empty(Path(out)):
        raise UserError(f'out: {out} is not empty and holds no comparison (no {RECORD}): give another folder')


def going_on(out: Path, state: State | None) -> State:
    """What lies in a folder, to go on with.

    Args:
        out (Path): The folder.
        state (State, optional): What lies in it.

    Raises:
        UserError: If there is no comparison, or none that can be.
    """
    if state is None:
        raise UserError(f'{out} holds no comparison to go on with (no {RECORD}): give --images, --classes and the sets '
                        'to measure on')
    state.request.check()
    if state.planned and not (out / SUITE).is_file():
        raise UserError(f'{out / SUITE} is gone: put it back, or delete {out / RECORD} and give the whole command, '
                        'which writes it anew; what is finished is not run again')
    return state
