"""What ``--data`` names, as a folder that a config can read: the user's own, or one that is made of it once."""

import hashlib
import os
from pathlib import Path

from lgd_mm.console.progress import still
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import DataError, UserError
from lgd_mm.formats.canonical import is_canonical
from lgd_mm.formats.convert import TARGETS, write_set
from lgd_mm.formats.read_set import read_set
from lgd_mm.formats.splits import SHARE
from lgd_mm.io.cache import cache_folder
from lgd_mm.io.files import write_text
from lgd_mm.io.new_folder import new_folder
from lgd_mm.io.texts import read_text
from lgd_mm.io.walk import is_file, is_hidden, walk

#: What is written for a library's configs.
OF_SCOPE = dict(mmdet='coco', mmseg='masks', mmpretrain='folders')
#: In a folder that was made: what it was made of, and what was doubtful.
SOURCE, NOTES = '.source.txt', '.notes.txt'
#: Of how sets are read and written: what another one wrote is made again.
VERSION = 1


def ready_folder(data: str | Path, scope: str) -> str:
    """Find the folder that a config is to read.

    Args:
        data (str | Path): The user's folder; nothing is written into it.
        scope (str): ``default_scope`` of the config.

    Returns:
        str: The same folder if it is of a layout that is read as it is; else one below ``$LGD_CACHE_DIR/data_sets``
            with links to its images, which is made once: the same folder gives the same parts in each run. What is
            doubtful is printed each time.

    Raises:
        UserError: If the folder is of no format, or has labels for something else.
    """
    to = OF_SCOPE.get(scope)
    root = Path(os.path.abspath(data))
    if to is None or not root.is_dir() or is_canonical(root, to):
        return str(data)
    made = cache_folder('data_sets') / f'{root.name}-{_digest(root, to)}'
    if not made.is_dir():
        voc_masks = to == 'masks' and (root / 'SegmentationClass').is_dir()  # such a set has boxes as well
        with still(f'reading {root}'):
            found = read_set(root, 'masks' if voc_masks else None)
        if found.task not in TARGETS[to][1]:
            raise DataError(f'data: {data} is of the format {found.format}, which has labels for {found.task}, and the '
                            f'config learns {TARGETS[to][1][0]}: give a config for {found.task}, or other data')
        try:
            with new_folder(made) as part:
                write_set(found, part, to, _link)
                write_text(part / SOURCE, str(root))
                write_text(part / NOTES, f'{found}\n{found.notes}')
        except OSError as error:
            if not made.is_dir():  # another process was first
                raise UserError(f'{made} cannot be written ({error.strerror}): free disk space, or set LGD_CACHE_DIR '
                                'to a folder on another disk') from error
    print_rank0(f'{read_text(made / NOTES)}\n  as {to} in {made}'.replace('\n\n', '\n'))
    return str(made)


def source_of(folder: str | Path) -> str | None:
    """What a folder was made of.

    Args:
        folder (str | Path): Perhaps of :func:`ready_folder`.

    Returns:
        str, optional: The user's folder; None if it is that itself.
    """
    file = Path(folder, SOURCE)
    return read_text(file) if file.is_file() else None


def _link(source: Path, target: Path) -> None:
    target.symlink_to(source)


def _digest(root: Path, to: str) -> str:
    """Of all that a set is made of."""
    digest = hashlib.sha256(repr((VERSION, to, SHARE, str(root))).encode(errors='surrogateescape'))
    for entry in walk(root, is_hidden):
        if is_file(entry) and not is_hidden(entry.name):
            status = entry.stat()
            digest.update(repr((entry.path, status.st_size, status.st_mtime_ns)).encode(errors='surrogateescape'))
    return digest.hexdigest()[:16]
