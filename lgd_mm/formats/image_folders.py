"""Folders that are classes."""

from pathlib import Path

from lgd_mm.errors import DataError
from lgd_mm.formats.image_index import files_below
from lgd_mm.formats.labelled_set import CLASSIFICATION, LabelledImage, LabelledSet
from lgd_mm.formats.notes import Notes
from lgd_mm.formats.part_names import WORDS
from lgd_mm.formats.splits import settle_splits
from lgd_mm.io.image_files import EXTENSIONS


def read(root: Path, share: float) -> LabelledSet:
    """Read a set.

    Args:
        root (Path): Its folder, with a folder for each class, or ``train``, ``val`` and ``test`` with these in them. A
            folder called train among classes is one of them.
        share (float): For ``'val'``, if there is none.

    Returns:
        LabelledSet: Classes in the order of their names.

    Raises:
        UserError: If there are no two classes, or nothing to train with.
    """
    notes = Notes()
    paths = files_below(root, EXTENSIONS)
    inner = [path.relative_to(root).parts for path in paths]
    parts = {names[0] for names in inner if len(names) > 1}
    divided = bool(parts) and all(part.lower() in WORDS for part in parts)
    depth = 1 if divided else 0
    labelled = {path: names[depth] for path, names in zip(paths, inner) if len(names) > depth + 1}
    for path in paths:
        if path not in labelled:
            notes.add('images lie in no folder of a class and are left out', path.relative_to(root))
    classes = tuple(sorted(set(labelled.values())))
    if len(classes) < 2:
        raise DataError(f'{root} has {"one class folder" if classes else "no class folders"}: put the images of each '
                        'class into a folder with its name')
    labels = {name: label for label, name in enumerate(classes)}
    found: dict[str | None, list[LabelledImage]] = {}
    for path, name in labelled.items():
        part = WORDS[path.relative_to(root).parts[0].lower()] if divided else None
        found.setdefault(part, []).append(LabelledImage(path, label=labels[name]))
    return LabelledSet(root, 'folders', CLASSIFICATION, classes, settle_splits(found, share, notes, root), notes)
