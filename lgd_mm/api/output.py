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
#: Where in it a run waits that is being replaced.
ASIDE = '.replaced'


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
    # Of several processes, the first may be moving it just now.
    if used and not ((folder / RESOLVED).is_file() or (folder / ASIDE / RESOLVED).is_file()):
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
    """Put the run that is to be replaced aside, and bring it back if the new one fails before its first checkpoint.

    It waits in the folder itself, which may be a link, a mounted disk, or below a folder that is not writable. Of a run
    that is resumed and fails so early, the settings are brought back: the next try takes those that are not given.

    Args:
        out (str | Path): The folder; it may not exist.
        overwrite (bool): Whether the run in it is to be replaced.
    """
    folder = Path(out)
    aside = folder / ASIDE
    if int(os.environ.get('RANK', 0)):
        yield
        return
    settings = None
    if overwrite and folder.is_dir():
        shutil.rmtree(aside, ignore_errors=True)  # of a run that was killed
        aside.mkdir()
        _move(folder, aside)
    elif (folder / RESOLVED).is_file():
        settings = (folder / RESOLVED).read_bytes()
    before = set(folder.glob('*.pth'))
    try:
        yield
    except BaseException as error:
        # Who stops a run in its first minutes goes on with it; a mistake is mended first.
        begun = (set(folder.glob('*.pth')) - before
                 or (isinstance(error, KeyboardInterrupt) and (folder / RESOLVED).is_file()))
        if not begun and overwrite and aside.is_dir():
            _bring_back(folder, aside)
        elif not begun and settings is not None:
            (folder / RESOLVED).write_bytes(settings)
        raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _bring_back(folder: Path, aside: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            if entry != aside:
                shutil.rmtree(entry)
        else:
            entry.unlink()
    _move(aside, folder)


def _move(source: Path, target: Path) -> None:
    """Move all that is in a folder into another one, which may lie in it."""
    for entry in [entry for entry in source.iterdir() if entry != target]:
        entry.rename(target / entry.name)
