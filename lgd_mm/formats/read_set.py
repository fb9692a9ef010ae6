"""The one way into the formats."""

import os
from pathlib import Path
from typing import Any

from lgd_mm.console.words import some
from lgd_mm.errors import UserError
from lgd_mm.formats.labelled_set import SEGMENTATION, LabelledSet
from lgd_mm.formats.part_names import TRAIN, VAL
from lgd_mm.formats.recognise import check_format, check_options, check_share, reader_of, recognise
from lgd_mm.formats.splits import SHARE


def read_set(folder: str | Path, form: str | None = None, *, void: str | None = None,
             class_table: str | Path | None = None, val_share: float = SHARE) -> LabelledSet:
    """Read a data set of whatever format.

    Args:
        folder (str | Path): Its folder; nothing is written into it.
        form (str, optional): One of :data:`lgd_mm.formats.recognise.FORMATS`. Defaults to None: it is recognised.
        void (str, optional): Of masks: the value, the colour ``R,G,B`` or the name of what is no class and counts
            neither in the loss nor in the metric. Defaults to None: 255.
        class_table (str | Path, optional): Of masks: a file with the name of each value or colour. Defaults to None: it
            is looked for in the folder.
        val_share (float): Share of the images to measure by, if the set has no such part. Defaults to 0.2.

    Returns:
        LabelledSet: Images, labels, and what is doubtful about them.

    Raises:
        UserError: If the format is not known, or the set cannot be used; names the file and the cure.
    """
    root = Path(os.path.abspath(folder))
    if not root.is_dir():
        raise UserError(f'data: {folder} is no folder: give one as in docs/own_data.md')
    check_share(val_share)
    check_format(form)
    name = form or recognise(root)
    given: dict[str, Any] = {key: value for key, value in dict(void=void, class_table=class_table).items()
                             if value is not None}
    check_options(name, folder, given)
    found = reader_of(name)(root, val_share, **given)
    _tell_absent(found)
    return found


def _tell_absent(found: LabelledSet) -> None:
    """Name classes that a part has nothing of; masks are looked at before a training."""
    if found.task == SEGMENTATION:
        return
    for split in (TRAIN, VAL):
        images = found.splits[split]
        there = {item.label for image in images for item in image.objects} | {image.label for image in images}
        absent = [name for label, name in enumerate(found.classes) if label not in there]
        if absent:
            found.notes.say(f'nothing in {split} is of the class {some(absent)}')
