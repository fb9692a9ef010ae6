"""Images and masks with a class in each pixel."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lgd_mm.console.printable import shown
from lgd_mm.console.words import some
from lgd_mm.datasets.mask_file import IGNORED
from lgd_mm.errors import DataError, UserError
from lgd_mm.formats.class_table import ClassTable, find_table
from lgd_mm.formats.labelled_set import SEGMENTATION, LabelledImage, LabelledSet
from lgd_mm.formats.mask_labels import MaskLabels, Value, are_binary, values_in
from lgd_mm.formats.mask_pairs import find_folders, find_pairs
from lgd_mm.formats.notes import Notes
from lgd_mm.formats.part_names import TEST, TRAIN, VAL, part_of
from lgd_mm.formats.splits import settle_splits
from lgd_mm.io.texts import read_text

#: Names of what is no class, by which a user is asked.
NO_CLASS = ('void', 'ignore', 'ignored', 'unlabelled', 'unlabeled', 'unknown', 'dontcare')
#: File in the folder of a set with what is no class, as ``--void`` names it.
VOID = 'void.txt'
#: Classes of masks of two values that no table names.
BINARY = ('background', 'foreground')


def read(root: Path, share: float, void: str | None = None, class_table: str | Path | None = None) -> LabelledSet:
    """Read a set.

    Args:
        root (Path): Its folder: ``images`` and ``masks`` (or ``SegmentationClass``, ``ann_dir``, ...) with or without
            folders of parts in or above them; or masks beside their images, with ``_mask`` behind the name.
        share (float): For ``'val'``, if there is none.
        void (str, optional): Value, colour ``R,G,B`` or name of what is no class. Defaults to None: what ``void.txt``
            in the folder says, or else 255.
        class_table (str | Path, optional): The file of the classes. Defaults to None: it is looked for.

    Returns:
        LabelledSet: With the table of what the values of the masks mean.

    Raises:
        UserError: If there are no pairs of images and masks, or the classes are not known.
    """
    notes = Notes()
    if void is None and (root / VOID).is_file():
        void = read_text(root / VOID).strip()
    folders = find_folders(root)
    if not folders:
        raise DataError(f'{root} has no folders of images and masks: see docs/own_data.md')
    pairs = [(pair, images) for images, masks in folders for pair in find_pairs(images, masks, notes)]
    table = find_table(root, class_table)
    masks = [mask for (_, mask), _ in pairs]
    meaning, classes = (_without_table(root, masks, void, notes) if table is None else
                        _meaning(table, masks, void, notes))
    images = {image: LabelledImage(image, mask=mask) for (image, mask), _ in pairs}
    found = _parts(root, images, {image: folder for (image, _), folder in pairs}, notes)
    return LabelledSet(root, 'masks', SEGMENTATION, classes, settle_splits(found, share, notes, root), notes, meaning)


def _parts(root: Path, images: dict[Path, LabelledImage], folders: dict[Path, Path], notes: Notes
           ) -> dict[str | None, list[LabelledImage]]:
    """By the lists of VOC, or else by the names of folders."""
    parts: dict[str | None, list[LabelledImage]] = {}
    lists = {split: path for split in (TRAIN, VAL, TEST)
             if (path := root / 'ImageSets/Segmentation' / f'{split}.txt').is_file()}
    for path, image in images.items():
        if not lists:
            names = (*folders[path].relative_to(root).parts, *path.relative_to(folders[path]).parts[:-1])
            parts.setdefault(part_of(names), []).append(image)
    by_name = {path.stem: image for path, image in images.items()}
    listed = set()
    for split, path in lists.items():
        for name in filter(None, map(str.strip, read_text(path).splitlines())):
            if name in by_name:
                listed.add(name)
                parts.setdefault(split, []).append(by_name[name])
            else:
                notes.add('lines of the lists in ImageSets/Segmentation name no image that has a mask', name)
    if lists:
        for name in sorted(by_name.keys() - listed):
            notes.add('images are in no list of ImageSets/Segmentation and are left out', name)
    return parts


def _meaning(table: ClassTable, masks: Sequence[Path], void: str | None, notes: Notes
             ) -> tuple[MaskLabels, tuple[str, ...]]:
    """Labels by a table; what is void is taken out of it."""
    names = dict(table.names)
    if void is not None:
        value = _void(void, table)
        if value in names:
            notes.say(f'{shown(names.pop(value))} (value {_told(value)}) is no class, and ignored')
        else:
            notes.say(f'the value {_told(value)} is ignored')
        ignored: dict[Value, int] = {value: IGNORED}
    else:
        ignored = {} if table.colours or IGNORED in names else {IGNORED: IGNORED}
        for name in names.values():
            if name.lower() in NO_CLASS:
                notes.say(f'{shown(name)} is learned like any class: if it is none, write it into {VOID} or give '
                          f'--void {name}')
    if len(names) < 2:
        raise DataError(f'{table.source} has one class: segmentation needs two, of which one may be background')
    if len(names) > IGNORED:
        raise DataError(f'{table.source} has {len(names)} classes, and mmseg knows {IGNORED}: masks have 8 bits, of '
                        f'which {IGNORED} is ignored')
    labels = {value: label for label, value in enumerate(names)}
    if void is None and [*names] == [0, 1] and are_binary(masks):
        notes.say(f'masks hold 0 and 255: 255 is taken for {shown(names[1])}, and not ignored')
        labels, ignored = {0: 0, 255: 1}, {}
    elif not table.colours and list(labels) != list(range(len(names))):
        anew = [f'{value} is {label}' for value, label in labels.items()]
        notes.say(f'classes are numbered anew from 0: {some(anew, 4)}')
    return MaskLabels({**labels, **ignored}, table.colours), tuple(names.values())


def _without_table(root: Path, masks: Sequence[Path], void: str | None, notes: Notes
                   ) -> tuple[MaskLabels, tuple[str, ...]]:
    """Two values need no names; more do."""
    values = _values(masks)
    two = IGNORED if len(values) > 2 and IGNORED in values else None  # black and white are two classes
    ignored = _void(void, None) if void is not None else two
    kept = sorted(values - {ignored})
    if len(kept) != 2 or kept[0] != 0:
        told = some([str(value) for value in kept], 8)
        raise DataError(f'{root} has no table of classes, and its masks hold {told}: write the name of each into '
                        'classes.txt, one on a line from value 0, or give --class-table FILE with lines such as 1,cat')
    notes.say(f'there is no table of classes: 0 is {BINARY[0]}, {kept[1]} is {BINARY[1]}')
    labels: dict[Value, int] = {0: 0, kept[1]: 1}
    return MaskLabels({**labels, **({} if ignored is None else {ignored: IGNORED})}), BINARY


def _void(text: str, table: ClassTable | None) -> Value:
    """What is to be ignored, as the user names it."""
    numbers = [part.strip() for part in text.split(',')]
    names = {name: value for value, name in table.names.items()} if table else {}
    if text in names:
        return names[text]
    if all(part.isdecimal() for part in numbers):
        if len(numbers) == 1 and not (table and table.colours):
            return int(numbers[0])
        if len(numbers) == 3 and table and table.colours:
            return int(numbers[0]), int(numbers[1]), int(numbers[2])
    known = some([shown(name) for name in names], 8) or 'no names'
    kind = 'a colour R,G,B' if table and table.colours else 'a number'
    raise UserError(f'--void {text} is neither {kind} nor a name of a class ({known})')


def _told(value: Value) -> str:
    return str(value) if isinstance(value, int) else ','.join(map(str, value))


def _values(masks: Sequence[Path]) -> set[int]:
    with ThreadPoolExecutor() as pool:
        return {value for found in pool.map(values_in, masks) for value in found}
