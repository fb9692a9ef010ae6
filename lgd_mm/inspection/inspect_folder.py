"""From a folder to what is in it."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lgd_mm.datasets.image_size import image_sizes
from lgd_mm.errors import UserError
from lgd_mm.formats.labelled_set import LabelledImage, LabelledSet
from lgd_mm.formats.mask_pairs import find_folders
from lgd_mm.formats.read_set import read_set
from lgd_mm.formats.recognise import recognise
from lgd_mm.inspection.class_counts import count_classes
from lgd_mm.inspection.facts import Inspection, Problem
from lgd_mm.inspection.image_problems import look_at_images
from lgd_mm.inspection.label_problems import look_at_labels
from lgd_mm.inspection.same_content import look_for_copies

#: Images whose heads are read; of more, as many are taken at even distances.
HEADS = 200_000
#: What images without labels are called.
IMAGES = 'images'


def inspect_folder(folder: str | Path, files: Iterable[str]) -> Inspection:
    """Look at a data set. Of images, heads are read, and of some the pixels; nothing is written.

    Args:
        folder (str | Path): Of any format that :func:`lgd_mm.formats.read_set.read_set` reads, or of images without
            labels.
        files (Iterable[str]): The images below it.

    Returns:
        Inspection: What is in it; labels that cannot be read are one of the problems.

    Raises:
        UserError: If there is no such folder.
    """
    root = Path(os.path.abspath(folder))
    images = [LabelledImage(Path(path)) for path in files]
    form, labelled, problems = _read(root)
    if form == 'masks' and not labelled:  # masks are images, too
        of_images = [folder for folder, masks in find_folders(root) if folder != masks]
        images = [image for image in images if any(map(image.path.is_relative_to, of_images))] or images
    parts: Mapping[str, Sequence[LabelledImage]] = labelled.splits if labelled else {'': images}
    paths = list(dict.fromkeys(image.path for part in parts.values() for image in part))
    looked_at = [paths[index * len(paths) // HEADS] for index in range(HEADS)] if len(paths) > HEADS else paths
    found = zip(looked_at, image_sizes(looked_at, str(root)))
    sizes = {path: size for path, size in found if size is not None}
    classes, of_classes = count_classes(labelled)
    bare = Inspection(root, labelled, form, parts, sizes, classes, (), len(looked_at))
    problems += [*of_classes, *look_for_copies(bare, looked_at), *look_at_images(bare, looked_at),
                 *look_at_labels(bare)]
    return Inspection(root, labelled, form, parts, sizes, classes, problems, len(looked_at))


def _read(root: Path) -> tuple[str, LabelledSet | None, list[Problem]]:
    """The format and what it says; or that it cannot be read, and why."""
    try:
        form = recognise(root)
    except UserError as error:
        if 'looks like' in str(error):
            return IMAGES, None, [Problem(str(error))]
        return IMAGES, None, []
    try:
        return form, read_set(root, form), []
    except UserError as error:
        if form == 'folders':  # any folder in a folder of images looks like one of a class
            return IMAGES, None, []
        return form, None, [Problem(f'The labels cannot be read. {error}')]
