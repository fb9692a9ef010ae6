"""Copies of a run's checkpoints in an object store, from which it goes on where nothing else is left of it."""

from pathlib import Path

from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import UserError
from lgd_mm.runs.checkpoints import POINTER, POINTER_NAME
from lgd_mm.storage import join, local_copy, read_object, write_object
from lgd_mm.storage.objects import exists, remove_object, upload


def check_copies(url: str, run: str) -> None:
    """See that a run can copy its checkpoints, before it begins: write an object there, and remove it.

    Args:
        url (str): Of the run's folder in the store.
        run (str): Which run it is.

    Raises:
        UserError: If the store refuses, or the run would write over the copies of another.
    """
    named = _named(url)
    if named is not None and named[1] != run:
        raise UserError(f'{url} holds the checkpoints of another run: give tools/train.py --resume {url} to go on from '
                        'them, or copy to another folder')
    probe = join(url, '.writable')
    write_object(probe, b'')
    remove_object(probe)


def copy_checkpoint(checkpoint: Path, url: str, run: str, tries: int) -> None:
    """Copy a checkpoint, and then name it, so that what is named is always whole.

    Args:
        checkpoint (Path): The file.
        url (str): Of the run's folder in the store.
        run (str): Which run it is of.
        tries (int): How often that is tried; training waits.

    Raises:
        UserError: If the store refuses.
    """
    upload(checkpoint, join(url, checkpoint.name), tries)
    write_object(join(url, POINTER_NAME), f'{checkpoint.name}\n{run}\n'.encode())


def remove_copy(name: str, url: str) -> None:
    """Remove the copy of a checkpoint, if there is one.

    Args:
        name (str): Of the file.
        url (str): Of the run's folder in the store.

    Raises:
        UserError: If the store refuses.
    """
    remove_object(join(url, name))


def copied_checkpoint(url: str) -> Path | None:
    """The checkpoint to go on from, fetched.

    Args:
        url (str): Of the run's folder in the store.

    Returns:
        Path, optional: None if no run has copied one there.

    Raises:
        UserError: If the store refuses, or names what is no checkpoint.
    """
    named = _named(url)
    if named is None:
        return None
    name, pointer = named[0], join(url, POINTER_NAME)
    if not name.endswith('.pth') or '/' in name:
        raise UserError(f'{pointer} names {name!r}, which is no checkpoint of this folder: write the name of one into '
                        'it')
    print_rank0(f'goes on from {join(url, name)}')
    return Path(local_copy(join(url, name)))


def _named(url: str) -> tuple[str, str] | None:
    """Which checkpoint is the last one copied, and of which run it is; None if there is none."""
    pointer = join(url, POINTER_NAME)
    if not exists(pointer):
        return None
    name, _, run = read_object(pointer)[:POINTER].decode(errors='replace').partition('\n')
    return name.strip(), run.strip()
