"""Regions of a student and of a teacher are compared one by one, so both are of the same boxes."""

import numpy as np

from lgd_mm.console.printable import shown
from lgd_mm.datasets.regions.regions import Regions
from lgd_mm.datasets.regions.store import TOOL, RegionStore
from lgd_mm.errors import UserError

#: Images whose boxes are compared; a store that was made again differs in most of them.
COMPARED = 1000


def check_same_boxes(student: RegionStore, teacher: RegionStore) -> None:
    """See that the n-th region of an image is the same box in both stores.

    Args:
        student (RegionStore): Whose boxes they are.
        teacher (RegionStore): With the features of another network at them.

    Raises:
        UserError: If the teacher's are of other images, in another order, or of other boxes.
    """
    ours, theirs = student.about, teacher.about
    again = (f'make {teacher.folder} anew with python {TOOL} CONFIG CHECKPOINT '
             + (f'--grid {ours["grid"]}' if ours['grid'] else f'--boxes {student.folder}'))
    if ours['names'] != theirs['names']:
        what = _difference(student, teacher)
        raise UserError(f"the teacher's regions {teacher.folder} {what} the student's {student.folder}: {again}")
    if ours['grid'] != theirs['grid']:
        raise UserError(f"the teacher's regions {teacher.folder} are {_kind(theirs['grid'])}, and the student's "
                        f'{student.folder} {_kind(ours["grid"])}: {again}')
    if not ours['grid'] and _origin(student) != _origin(teacher):
        raise UserError(f"the teacher's regions {teacher.folder} are features at other boxes than the student's "
                        f'{student.folder}: {again}')
    step = -(-len(student) // COMPARED)
    for name in student.names[::step]:
        if not _same(student.row(name), teacher.row(name)):
            raise UserError(f"the teacher's regions {teacher.folder} have other boxes of image {shown(name)} than the "
                            f"student's {student.folder}, which was made again since: {again}")


def _difference(student: RegionStore, teacher: RegionStore) -> str:
    """How the names of the images differ."""
    lacks = next((name for name in student.names if name not in teacher), None)
    if lacks is not None:
        return f'lack image {shown(lacks)} of'
    more = next((name for name in teacher.names if name not in student), None)
    if more is not None:
        return f'have image {shown(more)}, which is none of'
    return 'have the images in another order than'


def _kind(grid: int | None) -> str:
    return f'cells of a grid of {grid} x {grid}' if grid else 'boxes of a detector'


def _origin(store: RegionStore) -> str:
    """Fingerprint of the store that its boxes were detected for."""
    return str(store.about['boxes'] or store.about['fingerprint'])


def _same(one: Regions, other: Regions) -> bool:
    return one.size == other.size and all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ('boxes', 'scores', 'tags'))
