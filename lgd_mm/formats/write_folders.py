"""A set for classification as ``{train,val}/CLASS/``."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lgd_mm.console.printable import shown
from lgd_mm.errors import DataError
from lgd_mm.formats.labelled_set import LabelledSet
from lgd_mm.formats.names import names_below
from lgd_mm.io.named_file import LONGEST_NAME


def write(found: LabelledSet, out: Path, place: Callable[[Path, Path], None], track: Callable[..., Iterator[Any]]
          ) -> None:
    """Write a set; each part gets a folder for each class, which may stay empty.

    Args:
        found (LabelledSet): For classification.
        out (Path): A folder, which is there.
        place (Callable[[Path, Path], None]): Brings an image to its place.
        track (Callable[..., Iterator[Any]]): Shows how far it is; as :func:`lgd_mm.console.progress.track`.

    Raises:
        UserError: If two classes cannot be told apart by names of folders.
    """
    folders = [re.sub(r'[/\\\0]', '_', name).lstrip('.') for name in found.classes]
    users = Counter(folders)
    for name, folder in zip(found.classes, folders):
        if not folder or users[folder] > 1 or len(folder.encode()) > LONGEST_NAME:
            raise DataError(f'{found.root}: the class {shown(name)} has no name that a folder can have and no other '
                            'has: rename it')
        if name != folder:
            found.notes.say(f'the folder of the class {shown(name)} is {shown(folder)}')
    for split, images in found.splits.items():
        names = names_below([image.path for image in images])
        counts = Counter((image.label, image.path.name) for image in images)
        for folder in folders:
            (out / split / folder).mkdir(parents=True)
        for image in track(images, f'images of {split}', len(images)):
            assert image.label is not None
            alone = counts[image.label, image.path.name] == 1
            target = out / split / folders[image.label] / (image.path.name if alone else names[image.path])
            target.parent.mkdir(parents=True, exist_ok=True)
            place(image.path, target)
