"""The folder of a run: never used twice by accident."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lgd_mm.engine import preflight
from lgd_mm.errors import UserError

#: The config of a run in its folder, with everything that was settled.
RESOLVED = 'resolved_config.py'


def check_out(out: str | Path, resume: bool, overwrite: bool) -> None:
    """See whether a run may use a folder.

    Args:
        out (str | Path): The folder; it may not exist.
        resume (bool): Go on with the run in it.
        overwrite (bool): Replace the run in it.

    Raises:
        UserError: If it holds something and neither is asked for, if both are, if ``overwrite`` would remove what is no
            run, or if it cannot be written to.
    """
    folder = Path(out)
    if resume and overwrite:
        raise UserError('resume goes on with the run in out, overwrite replaces it: give one of them')
    if folder.exists() and not folder.is_dir():
        raise UserError(f'out: {folder} is a file: give a folder')
    used = folder.is_dir() and any(folder.iterdir())
    if used and not resume and not overwrite:
        raise UserError(f'out: {folder} is not empty: give --resume to go on with the run in it, --overwrite to '
                        'replace it, or another folder')
    if used and not (folder / RESOLVED).is_file():
        option = 'resume' if resume else 'overwrite'
        raise UserError(f'out: {folder} holds no run of lgd-mm (no {RESOLVED}), which --{option} needs: give another '
                        'folder')
    try:
        preflight.check_work_dir(str(folder))
    except UserError as error:
        reason = getattr(error.__cause__, 'strerror', error)
        raise UserError(f'out: {folder} cannot be written to ({reason}): give another folder') from error


@contextmanager
def replaced(out: str | Path, overwrite: bool) -> Iterator[None]:
    """Put the run that is to be replaced aside, and bring it back if the new one fails before it has begun.

    Args:
        out (str | Path): The folder.
        overwrite (bool): Whether it is to be replaced.
    """
    folder = Path(out)
    aside = folder.with_name(f'{folder.name}.replaced')
    first = int(os.environ.get('RANK', 0)) == 0
    if not overwrite or not folder.exists() or not first:
        yield
        return
    folder.rename(aside)
    try:
        yield
    finally:
        if folder.exists():
            shutil.rmtree(aside)
        else:
            aside.rename(folder)
