"""Which images are to train with, and which to measure by."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from lgd_mm.errors import DataError
from lgd_mm.formats.image_index import MISSING
from lgd_mm.formats.labelled_set import LabelledImage
from lgd_mm.formats.notes import Note, Notes
from lgd_mm.formats.part_names import TEST, TRAIN, VAL
from lgd_mm.io.same_content import found_among

#: Of the images, for a part that is made.
SHARE = 0.2
#: What is said of images of val that are in train, be it under another name.
LEAKED = 'images of val are in train as well, so that the figures will be too good'


def settle_splits(found: Mapping[str | None, Sequence[LabelledImage]], share: float, notes: Notes,
                  root: Path) -> dict[str, list[LabelledImage]]:
    """Make of what a format says the parts ``'train'`` and ``'val'``, and ``'test'`` if there are three.

    Args:
        found (Mapping[str | None, Sequence[LabelledImage]]): Images of each part; those under None are of none.
        share (float): Of the images, for ``'val'`` if it has to be made.
        notes (Notes): Is told what was made, and which images are in two parts.
        root (Path): Of the set, for the sentences.

    Returns:
        dict[str, list[LabelledImage]]: In the order of the paths.

    Raises:
        UserError: If there is nothing to train with, or some images are of no part while others are.
    """
    splits = {split: sorted(found[split], key=lambda image: image.path)
              for split in (TRAIN, VAL, TEST) if found.get(split)}
    loose = list(found.get(None) or ())
    if loose and splits:
        raise DataError(f'{root}: {len(loose)} images are of no part, such as {loose[0].path.name}, and others are of '
                        f'{" and ".join(splits)}: put all of them into parts, or none')
    if TEST in splits and VAL not in splits and TRAIN in splits:
        splits = {TRAIN: splits[TRAIN], VAL: splits[TEST]}
        notes.say('there is no part val, and test is taken for it')
    if TRAIN not in splits and not loose:
        missing = ''.join(f' ({note})' for note in notes if isinstance(note, Note) and note.what == MISSING)
        there = f'only the part {" and ".join(splits)}' if splits else f'no labelled image{missing}'
        raise DataError(f'{root} has {there}: there is nothing to train with')
    if VAL not in splits:
        splits = {**splits, **made_split(loose or splits[TRAIN], share, notes, root)}
    _tell_leaks(splits, notes)
    return {split: splits[split] for split in (TRAIN, VAL, TEST) if split in splits}


def made_split(images: Sequence[LabelledImage], share: float, notes: Notes, root: Path
               ) -> dict[str, list[LabelledImage]]:
    """Divide images by a hash of each one's name: the same in each run, and others do not move when images are added.

    Args:
        images (Sequence[LabelledImage]): At least two.
        share (float): For ``'val'``, between 0 and 1.
        notes (Notes): Is told of it.
        root (Path): Of the set, for the sentences.

    Returns:
        dict[str, list[LabelledImage]]: ``'train'`` and ``'val'``, of at least one image each. Copies that Roboflow
            makes of an image (``NAME.rf.HASH.jpg``) stay together.

    Raises:
        UserError: If there are fewer than two.
    """
    names = {image.path: image.path.name for image in images}
    if len(set(names.values())) == 1:  # each in a folder of its own
        names = {path: path.relative_to(root).as_posix() for path in names}
    places = {path: _place(name) for path, name in names.items()}
    first, last = min(places.values(), default=0.), max(places.values(), default=0.)
    if first == last:
        raise DataError(f'{root} has one image alone, which cannot be divided into some to train with and others to '
                        'measure by: add images')
    bound = min(max(share, first), last)  # one on each side, in the smallest sets
    parts: dict[str, list[LabelledImage]] = {TRAIN: [], VAL: []}
    for image in sorted(images, key=lambda image: image.path):
        place = places[image.path]
        parts[VAL if place < bound or place == first else TRAIN].append(image)
    notes.say(f'no part is to measure by: by a hash of its name, each image is of train ({len(parts[TRAIN]):,}) or of '
              f'val ({len(parts[VAL]):,}; a share of {share:.0%} is aimed at)')
    return parts


def _place(name: str) -> float:
    """Between 0 and 1, by the name of an image."""
    digest = hashlib.sha256(name.partition('.rf.')[0].encode(errors='surrogateescape')).digest()
    return int.from_bytes(digest[:8], 'big') / 2**64


def _tell_leaks(splits: Mapping[str, Sequence[LabelledImage]], notes: Notes) -> None:
    """Name images that are trained with and measured by; copies of other names, too."""
    found = found_among((image.path for image in splits[VAL]), (image.path for image in splits[TRAIN]))
    for image in splits[VAL]:
        if image.path in found:
            notes.add(LEAKED, image.path.name)
