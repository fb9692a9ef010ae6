"""A data set of any format as a folder that is trained on."""

import os
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path

from lgd_mm.console.progress import Heartbeat, still
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.datasets.image_size import image_size
from lgd_mm.errors import DataError, UserError
from lgd_mm.formats.convert import OF_TASK, check_target, write_set
from lgd_mm.formats.labelled_set import LabelledSet
from lgd_mm.formats.new_set import check_new_folder
from lgd_mm.formats.read_set import read_set
from lgd_mm.formats.splits import SHARE
from lgd_mm.io.new_folder import new_folder
from lgd_mm.io.placing import link_or_copy
from lgd_mm.own_data.class_folders import read_class_folders
from lgd_mm.own_data.detection import read_detection
from lgd_mm.own_data.segmentation import read_segmentation

#: What looks at a folder before it appears: the same as before a training.
CHECKS: dict[str, Callable[[str], object]] = dict(
    coco=read_detection, masks=read_segmentation, folders=partial(read_class_folders, training=True))


def convert(source: str | Path,
            out: str | Path,
            *,
            form: str | None = None,
            to: str | None = None,
            void: str | None = None,
            class_table: str | Path | None = None,
            val_share: float = SHARE) -> LabelledSet:
    """Write a data set of any format as one that is trained on, and say all that is doubtful about it.

    Args:
        source (str | Path): Its folder; nothing is written into it.
        out (str | Path): New folder; it appears whole or not at all. Images are hard links, or copies where there can
            be none.
        form (str, optional): What ``source`` is: ``'coco'``, ``'yolo'``, ``'voc'``, ``'labelme'``, ``'cvat'``,
            ``'supervisely'``, ``'masks'``, ``'csv'`` or ``'folders'``. Defaults to None: it is recognised.
        to (str, optional): ``'coco'``, ``'masks'`` or ``'folders'``. Defaults to None: what goes with its labels.
        void (str, optional): Of masks: value, colour ``R,G,B`` or name of what is no class. Defaults to None: what
            ``void.txt`` in the folder says, or else 255.
        class_table (str | Path, optional): Of masks: file with the name of each value or colour. Defaults to None: it
            is looked for in the folder.
        val_share (float): Share of the images to measure by, if the set has no such part. Defaults to 0.2.

    Returns:
        LabelledSet: What was read, with its notes.

    Raises:
        UserError: If the set cannot be read, written, or trained with; names the file and the cure.
    """
    check_target(to)
    check_new_folder(source, out)
    with still(f'reading {source}'):
        found = read_set(source, form, void=void, class_table=class_table, val_share=val_share)
    to = to or OF_TASK[found.task]
    said = StringIO()
    places: dict[Path, Path] = {}
    try:
        with new_folder(out) as part:
            write_set(found, part, to, partial(_place, Path(os.path.realpath(source)), places))
            try:
                with Heartbeat(lambda: f'checking {out}', partial(print, flush=True, file=sys.stdout)), \
                        redirect_stdout(said):
                    CHECKS[to](str(part))
            except UserError as error:  # OUT will not be there: images are called as they are in the source
                sentence = str(error)
                for target in sorted(places, reverse=True):  # the longer of two names first
                    sentence = sentence.replace(str(target), str(places[target]))
                raise type(error)(sentence.replace(str(part), os.fspath(out))) from error
            remarks = said.getvalue().replace(str(part), os.fspath(out))
    except OSError as error:
        raise UserError(f'{out} cannot be written ({error.strerror}): free disk space, or give another OUT') from error
    print_rank0(f'{found}\n{found.notes}{remarks and chr(10) + remarks}'.rstrip())
    print_rank0(f'{out}: written as {to}; train with --data {out}')
    return found


def _place(root: Path, places: dict[Path, Path], source: Path, target: Path) -> None:
    """Bring an image to its place; OUT is passed on, and nothing goes into it that a link passes for an image."""
    if source.is_symlink() and not Path(os.path.realpath(source)).is_relative_to(root) and image_size(source) is None:
        raise DataError(f'{source} is a link to {os.path.realpath(source)}, which lies outside {root} and is no image: '
                        'remove it')
    link_or_copy(source, target)
    places[target] = source
