"""Images that are there twice: within a part, in two parts, and with two labels."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from lgd_mm.console.progress import track
from lgd_mm.inspection.facts import EXAMPLES, Inspection, Problem
from lgd_mm.io.same_content import content_digest, of_sizes


def look_for_copies(found: Inspection, paths: Sequence[Path]) -> list[Problem]:
    """Look for files with the same content, whatever they are called. Only files of the same size are read.

    Args:
        found (Inspection): The parts.
        paths (Sequence[Path]): The images to look at.

    Returns:
        list[Problem]: Copies in two parts, copies with two labels, and others.
    """
    owners = defaultdict(list)
    for part, images in found.parts.items():
        for image in images:
            owners[image.path].append((part, image.label))
    leaks: list[str] = []
    contradictions: list[str] = []
    copies: list[str] = []
    told: set[Path] = set()
    for group in [*same_content(paths), *([path] for path in owners)]:
        every = [owner for path in group for owner in owners[path]]
        if len(every) == 1 or told.issuperset(group):
            continue
        told.update(group)
        names = ' = '.join(map(found.named, group[:3]))
        (leaks if len({part for part, _ in every}) > 1 else copies).append(names)
        if len({label for _, label in every}) > 1:
            contradictions.append(names)
    kinds = (
        (leaks, 'images are in two parts of the set with the same content', 'figures on them will be too good: remove '
         'them from one part'),
        (contradictions, 'images have the same content and different classes', 'keep the right one'),
        (copies, 'images are there more than once', 'they count more than others: remove the copies if that is not '
         'meant'))
    return [Problem(what, len(names), names[:EXAMPLES], cure) for names, what, cure in kinds if names]


def same_content(paths: Sequence[Path]) -> Iterator[list[Path]]:
    """Files with the same content.

    Args:
        paths (Sequence[Path]): Different files.

    Yields:
        list[Path]: Two or more of them, in their order.
    """
    alike = [path for group in of_sizes(paths).values() if len(group) > 1 for path in group]
    digests = defaultdict(list)
    for path in track(alike, 'looking for copies', len(alike)):
        if digest := content_digest(path):
            digests[digest].append(path)
    yield from (group for group in digests.values() if len(group) > 1)
