"""An inspection in short: as lines for a terminal, and as values for JSON."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from lgd_mm.console.words import some
from lgd_mm.formats.labelled_set import DETECTION
from lgd_mm.inspection.facts import Inspection

#: Examples of a problem that a terminal is shown.
SHOWN = 3
#: By what a format is recognised.
SIGNS = {
    'coco': 'JSON files with "images", "annotations" and "categories"',
    'yolo': 'a data.yaml, or text files with a class and numbers on each line',
    'voc': 'XML files with an <annotation>',
    'labelme': 'JSON files with "shapes"',
    'cvat': 'an XML file with <annotations>',
    'supervisely': 'a meta.json with "classes"',
    'masks': 'folders of images and of masks with the same names',
    'csv': 'a table with a column of files and one of labels',
    'folders': 'images in folders that are classes',
    'images': 'images, and no labels that are known',
}


def lines_of(found: Inspection) -> Iterator[str]:
    """What is told on a terminal.

    Args:
        found (Inspection): The set.

    Yields:
        str: Each line.
    """
    for name, value in facts_of(found):
        yield f'{name + ":":<12}{value}'
    if not found.problems:
        yield f'{"problems:":<12}none found'
    for index, problem in enumerate(found.problems):
        yield f'{"" if index else "problems:":<12}- {problem}'
        if problem.examples:
            yield f'{"":<14}such as {"; ".join(problem.examples[:SHOWN])}'


def facts_of(found: Inspection) -> list[tuple[str, str]]:
    """Names of facts and what they are.

    Args:
        found (Inspection): The set.
    """
    facts = [('folder', str(found.folder)), ('format', f'{found.form} ({SIGNS[found.form]})')]
    if found.labelled:
        facts.append(('labels for', found.labelled.task + (', with masks' if found.labelled.has_masks else '')))
    counts = ', '.join(f'{len(images):,}' + (f' {part}' if part else '') for part, images in found.parts.items())
    facts.append(('images', counts))
    if found.labelled and found.labelled.task == DETECTION:
        facts.append(('objects', ', '.join(f'{sum(len(image.objects) for image in images):,} {part}'
                                           for part, images in found.parts.items())))
    if found.classes.of:
        most = found.classes.sorted()
        often = [f'{name} ({sum(found.classes.of[name].values()):,})' for name in most]
        facts.append(('classes', f'{len(most)}: {some(often, 6)}'))
    if found.sizes:
        sizes = np.array([(size.width, size.height) for size in found.sizes.values()])
        low, middle, high = (np.quantile(sizes, share, axis=0) for share in (0, 0.5, 1))
        facts.append(('sizes', ', '.join(f'{what} {width:.0f} x {height:.0f}' for what, (width, height) in
                                         dict(median=middle, least=low, most=high).items()) + ' pixels'))
    return facts


def values_of(found: Inspection) -> dict[str, Any]:
    """The same and all counts, for programs.

    Args:
        found (Inspection): The set.

    Returns:
        dict[str, Any]: Of what JSON has.
    """
    return dict(
        folder=str(found.folder), format=found.form, task=found.labelled and found.labelled.task,
        images={part or 'all': len(images) for part, images in found.parts.items()},
        objects={part or 'all': sum(len(image.objects) for image in images) for part, images in found.parts.items()},
        classes={name: dict(counts) for name, counts in found.classes.of.items()}, counted=found.classes.unit,
        problems=[dict(what=problem.what, count=problem.count, examples=list(problem.examples), cure=problem.cure)
                  for problem in found.problems])
