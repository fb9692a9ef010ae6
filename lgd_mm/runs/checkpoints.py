"""The checkpoints that a run leaves: which to go on from."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.console.words import some
from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.io.safe_load import load_checkpoint_file

#: The student of a run that has ended, and what names the checkpoint to go on from.
EXPORTED, POINTER_NAME = 'student.safetensors', 'last_checkpoint'
#: Of a run that was asked to stop; the next regular checkpoint takes its place.
STOPPED = 'stopped.pth'
#: Bytes of a file that names one.
POINTER = 2**16
#: Says which run is at work in a folder until the first checkpoint of it is named there.
BEGUN = '.begun'


def latest_checkpoint(work_dir: str, to_resume: bool = False) -> Path | None:
    """The newest checkpoint of a run, also in a work dir that was moved or copied.

    If the newest is missing or damaged, or the run was killed before it was named, the newest whole one is taken, and
    this is said.

    Args:
        work_dir (str): May not exist.
        to_resume (bool): Pass over weights alone, if there is another one. Defaults to False.

    Returns:
        Path, optional: None if no run was there.

    Raises:
        UserError: If the work dir names a checkpoint that is gone, and has no other.
    """
    pointer = Path(work_dir) / POINTER_NAME
    if not pointer.is_file():
        return unnamed_checkpoint(work_dir)
    try:
        named = Path(read_plain(pointer, POINTER).decode(errors='replace').strip())
    except OSError as error:
        raise UserError(f'{pointer} cannot be read ({error.strerror}): remove it, or write the name of a checkpoint '
                        'into it') from error
    places = (Path(work_dir) / named.name, named)  # of a copied run, its own
    fits = _goes_on if to_resume else is_whole
    for path in places:
        if fits(path):
            return path
    poor = next(filter(is_whole, places), None)
    what = (f'names {named}, which is {"no checkpoint to go on from" if poor else "missing or damaged"}' if named.name
            else 'is empty')
    whole = list(filter(fits, checkpoints_in(work_dir)))
    if not whole and poor:
        return poor
    if not whole:
        raise UserError(f'{pointer} {what}: give --resume FILE, or remove {pointer} to start anew')
    newest = max(whole, key=lambda path: path.stat().st_mtime_ns)
    print_rank0(f'{pointer} {what}: {newest.name} is the newest whole checkpoint there')
    return newest


def check_holds_student(folder: Path) -> None:
    """See that a folder may hold a student, as far as the names of its files tell.

    Args:
        folder (Path): Of a pre-training.

    Raises:
        UserError: If it holds none.
    """
    if not any((folder / name).is_file() for name in (EXPORTED, POINTER_NAME, BEGUN)):
        raise no_student(folder)


def no_student(folder: Path) -> UserError:
    """Says that a folder holds none."""
    return UserError(f'{folder} holds no student: give the folder of a pre-training that has saved a checkpoint, or a '
                     'file')


def check_begins(work_dir: str) -> None:
    """See that a work dir without ``last_checkpoint`` has nothing that a new run would write over.

    Args:
        work_dir (str): May not exist.

    Raises:
        UserError: If there are checkpoints: nobody can tell whether they are of this run.
    """
    left = sorted(path.name for path in checkpoints_in(work_dir))
    if left:
        raise UserError(f'{work_dir} has {some(left, 3)}, but no '
                        'last_checkpoint that says which to go on from: write the name of one into it, or give another '
                        'folder')


def read_training_state(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint to resume from.

    Raises:
        UserError: If the file is missing, damaged or unsafe, or holds weights alone.
    """
    checkpoint = load_checkpoint_file(path)
    lacking = [key for key in ('meta', 'state_dict', 'optimizer', 'message_hub') if key not in checkpoint]
    meta, hub = (checkpoint.get(key, {}) for key in ('meta', 'message_hub'))
    lacking += [f'meta.{key}' for key in ('epoch', 'iter') if type(meta.get(key)) is not int or meta[key] < 0]
    lacking += [f'message_hub.{key}' for key in ('log_scalars', 'runtime_info', 'resumed_keys')
                if 'message_hub' not in lacking and not isinstance(hub.get(key), Mapping)]
    if lacking:
        raise UserError(f'{path} cannot be resumed from, it has no {", ".join(lacking)}: give a checkpoint of a '
                        'training run (epoch_N.pth, iter_N.pth), or --student FILE to start from a backbone')
    return checkpoint


def is_whole(path: str | Path) -> bool:
    """Whether a checkpoint was written to its end and has the bytes that were written, by its own checksums.

    It is read in full: a wrong bit may also lie in what the checksums do not cover.
    """
    try:
        load_checkpoint_file(path)
    except (UserError, ValueError):  # a pointer that a power cut left full of zeros names no file
        return False
    return True


def _goes_on(path: str | Path) -> bool:
    """Whether a whole checkpoint is one of training, and not of weights alone."""
    try:
        read_training_state(path)
    except (UserError, ValueError):
        return False
    return True


def checkpoints_in(work_dir: str) -> list[Path]:
    """The checkpoints in a folder to go on from.

    Args:
        work_dir (str): May not exist.
    """
    return [path for pattern in ('epoch_*.pth', 'iter_*.pth', STOPPED) for path in Path(work_dir).glob(pattern)]


def unnamed_checkpoint(work_dir: str) -> Path | None:
    """The newest whole checkpoint of a run that was killed between its first one and ``last_checkpoint``; those of
    other runs in the same folder are passed over.

    Args:
        work_dir (str): Without ``last_checkpoint``; may not exist.

    Returns:
        Path, optional: None if there is none, or nobody knows which run was at work.
    """
    begun = Path(work_dir) / BEGUN
    if not begun.is_file():
        return None
    run, found = read_plain(begun, POINTER).decode(errors='replace'), {}
    for path in filter(is_whole, checkpoints_in(work_dir)):
        meta = load_checkpoint_file(path).get('meta') or {}
        if run and meta.get('run') == run:
            found[path] = meta['iter']
    if not found:
        return None
    newest = max(found, key=lambda path: found[path])
    print_rank0(f'{work_dir} was left before its first checkpoint was named in last_checkpoint: it is {newest.name}')
    return newest
