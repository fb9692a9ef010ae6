"""From a set of any format to a folder of one that is trained on."""

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from lgd_mm.console.progress import track
from lgd_mm.console.words import there_are
from lgd_mm.errors import UserError
from lgd_mm.formats.labelled_set import CLASSIFICATION, DETECTION, SEGMENTATION, LabelledSet

#: What is written, the module that writes it, and what a set must have labels for.
TARGETS = dict(coco=('write_coco', (DETECTION, )), masks=('write_masks', (SEGMENTATION, DETECTION)),
               folders=('write_folders', (CLASSIFICATION, )))
#: What is written of a set if nobody says otherwise.
OF_TASK = {DETECTION: 'coco', SEGMENTATION: 'masks', CLASSIFICATION: 'folders'}


def check_target(to: str | None) -> None:
    """See that a form to write is one.

    Args:
        to (str, optional): As the user gave it.

    Raises:
        UserError: If it is not.
    """
    if to is not None and to not in TARGETS:
        raise UserError(f'nothing called {to!r} is written; {there_are(to, TARGETS)}')


def write_set(found: LabelledSet, out: Path, to: str, place: Callable[[Path, Path], None],
              track: Callable[..., Iterator[Any]] = track) -> None:
    """Write a set.

    Args:
        found (LabelledSet): What was read; its notes are added to.
        out (Path): A folder, which is there and empty.
        to (str): One of :data:`TARGETS`.
        place (Callable[[Path, Path], None]): Brings an image to its place.
        track (Callable[..., Iterator[Any]]): Shows how far it is. Defaults to :func:`lgd_mm.console.progress.track`.

    Raises:
        UserError: If the set has no labels of that kind, or cannot be written.
    """
    module, tasks = TARGETS[to]
    if found.task not in tasks:
        raise UserError(f'{found.root} is of the format {found.format}, which has labels for {found.task}: it cannot '
                        f'be written as {to} (of {found.task}, {OF_TASK[found.task]} can)')
    import_module(f'lgd_mm.formats.{module}').write(found, out, place, track)
