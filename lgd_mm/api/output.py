"""The folder of a run: never used twice by accident."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import Stopped, UserError
from lgd_mm.io.files import remove_content, replacing
from lgd_mm.io.lock import LOCK_OF_RUN, is_empty
from lgd_mm.io.writable import check_work_dir
from lgd_mm.runs.replacement import ASIDE, GONE, MOVING
from lgd_mm.storage.urls import is_url

#: The config of a run in its folder, with everything that was settled.
RESOLVED = 'resolved_config.py'


def check_out(out: str | Path, resume: bool, overwrite: bool) -> None:
    """See whether a run may use a folder, and can write there.

    Args:
        out (str | Path): The folder; it may not exist.
        resume (bool): Go on with the run in it.
        overwrite (bool): Replace the run in it.

    Raises:
        UserError: As :func:`check_free`, or if it cannot be written to.
    """
    check_free(out, resume, overwrite)
    try:
        check_work_dir(str(out))
    except UserError as error:
        reason = getattr(error.__cause__, 'strerror', error)
        raise UserError(f'out: {out} cannot be written to ({reason}): give another folder') from error


def check_free(out: str | Path, resume: bool, overwrite: bool) -> None:
    """See whether a run may use a folder.

    Args:
        out (str | Path): The folder; it may not exist.
        resume (bool): Go on with the run in it.
        overwrite (bool): Replace the run in it.

    Raises:
        UserError: If it holds something and neither is asked for, if both are, or if ``overwrite`` would remove what is
            no run.
    """
    if is_url(out):
        raise UserError(f'out: {out} is in an object store: give a folder here, and copy it afterwards')
    folder = Path(out)
    if resume and overwrite:
        raise UserError('resume goes on with the run in out, overwrite replaces it: give one of them')
    if folder.exists() and not folder.is_dir():
        raise UserError(f'out: {folder} is a file: give a folder')
    used = not is_empty(folder)
    if used and not resume and not overwrite:
        before = f'; the run before it is kept in {folder / ASIDE}' if (folder / ASIDE).is_dir() else ''
        raise UserError(f'out: {folder} is not empty: give --resume to go on with the run in it, --overwrite to '
                        f'replace it, or another folder{before}')
    if used and config_of(folder) is None:
        option = 'resume' if resume else 'overwrite'
        raise UserError(f'out: {folder} holds no run of lgd-mm (no {RESOLVED}), which --{option} needs: give another '
                        'folder')


def check_init(init: Any, resume: bool) -> None:
    """See that it is one thing that a run begins with.

    Args:
        init (Any): Weights to begin with, or None.
        resume (bool): Go on with the run in a folder.

    Raises:
        UserError: If both are asked for.
    """
    if init is not None and resume:
        raise UserError('resume goes on with the weights of the run in out, init begins with others: give one of them')


def check_beginning(student: str | Path | None, backbone: str | None) -> None:
    """See that it is known what a downstream network begins as.

    Args:
        student (str | Path, optional): Its weights.
        backbone (str, optional): What it is.

    Raises:
        UserError: If neither is given.
    """
    if student is None and backbone is None:
        raise UserError('give the student to begin with (--student run), or the name of a backbone that begins at '
                        'random (--backbone timm/NAME)')


def check_inputs_stay(out: str | Path, overwrite: bool, *inputs: Any) -> None:
    """See that a run that is to be replaced holds nothing that the new one is made from.

    Args:
        out (str | Path): Its folder.
        overwrite (bool): Whether it is to be replaced.
        *inputs (Any): As the user gave them: what is the path of a file or folder is looked at, ``NAME=FILE`` and
            ``NAME:FOLDER`` too, and several joined by ``+``.

    Raises:
        UserError: If it does.
    """
    folder = Path(out).resolve()
    if not overwrite or not folder.is_dir():
        return
    for given in inputs:
        if not isinstance(given, (str, Path)):
            continue
        text = str(given)
        for name in [text, text.partition('=')[2], text.partition(':')[2], *map(str.strip, text.split('+'))]:
            # os.path takes a text of any length, unlike Path
            if name and os.path.exists(name) and Path(name).resolve().is_relative_to(folder):
                raise UserError(f'{name} lies in {out}, which is to be overwritten: copy it to another folder first')


def config_of(folder: Path) -> Path | None:
    """The config of the run in a folder, also while another process puts that run aside or brings it back.

    Args:
        folder (Path): Of a run.

    Returns:
        Path, optional: None if there is no run.
    """
    places = [folder, folder / MOVING, folder / ASIDE]
    # A run that moves on while one looks is met on the way back.
    return next((file for place in [*places, *places[::-1]] if (file := place / RESOLVED).is_file()), None)


@contextmanager
def replaced(out: str | Path, overwrite: bool) -> Iterator[None]:
    """Keep the run that is to be replaced until the new one has ended, and bring it back if that one fails before its
    first checkpoint. What a killed process left is put in order first.

    It waits in the folder itself, which may be a link, a mounted disk, or below a folder that is not writable. Of a run
    that is resumed and fails so early, the settings are brought back: the next try takes those that are not given.

    Args:
        out (str | Path): The folder, in which no other process is at work; it may not exist.
        overwrite (bool): Whether the run in it is to be replaced.
    """
    folder = Path(out)
    _recover(folder)
    settings = None
    if overwrite and not is_empty(folder):
        _put_aside(folder)
    elif (folder / RESOLVED).is_file():
        settings = (folder / RESOLVED).read_bytes()
    before = _checkpoints(folder)
    try:
        yield
    except BaseException as error:
        # Who stops a run in its first minutes goes on with it; a mistake is corrected first.
        begun = (_checkpoints(folder) - before
                 or (isinstance(error, (KeyboardInterrupt, Stopped)) and (folder / RESOLVED).is_file()))
        if not begun and overwrite and (folder / ASIDE).is_dir():
            _bring_back(folder)
        elif not begun and settings is not None:
            with replacing(folder / RESOLVED) as part:
                part.write_bytes(settings)
        elif (folder / ASIDE).is_dir():
            print_rank0(f'the run before is kept in {folder / ASIDE} until the one in {folder} has ended')
        raise
    if (folder / ASIDE).is_dir():
        (folder / ASIDE).rename(folder / GONE)
    shutil.rmtree(folder / GONE, ignore_errors=True)


def _checkpoints(folder: Path) -> set[Path]:
    return set(folder.glob('*.pth'))


def _put_aside(folder: Path) -> None:
    """Move a run, with one that it was to replace, into a folder that has its name only once all is there."""
    if (folder / ASIDE).is_dir() and not _checkpoints(folder):  # it has saved nothing, and the one before is kept
        remove_content(folder, LOCK_OF_RUN, ASIDE)
        return
    try:
        (folder / MOVING).mkdir()
        _move(folder, folder / MOVING)
        (folder / MOVING).rename(folder / ASIDE)
    except BaseException:
        _recover(folder)
        raise


def _bring_back(folder: Path) -> None:
    """Put the run that waits in the place of the new one."""
    remove_content(folder, LOCK_OF_RUN, ASIDE)
    (folder / ASIDE).rename(folder / MOVING)  # from here on, what lies in the folder is of the run that comes back
    _recover(folder)


def _recover(folder: Path) -> None:
    """Put in order what a process left that ended while it moved a run, or before the new one had begun."""
    shutil.rmtree(folder / GONE, ignore_errors=True)
    if (folder / MOVING).is_dir():
        _move(folder / MOVING, folder)
        (folder / MOVING).rmdir()
    elif (folder / ASIDE).is_dir() and not (folder / RESOLVED).is_file() and not _checkpoints(folder):
        _bring_back(folder)


def _move(source: Path, target: Path) -> None:
    """Move all that is in a folder into another one, of which one lies in the other.

    Raises:
        UserError: If there is something of the same name: nothing is moved then.
    """
    entries = [entry for entry in source.iterdir() if entry != target and entry.name != LOCK_OF_RUN]
    for entry in entries:
        if os.path.lexists(target / entry.name):
            raise UserError(f'{entry} is of a run that was being moved to {target}, where {entry.name} is of another '
                            'one: move one of them away, then run this again')
    for entry in entries:
        entry.rename(target / entry.name)
