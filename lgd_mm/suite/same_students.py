"""Rows of a suite that would be one student twice."""

import filecmp
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from lgd_mm.errors import UserError
from lgd_mm.suite.definition import ROOT, Entry


def check_students(path: str, entries: Sequence[Entry]) -> None:
    """See that no two entries are given the same student: a table would show chance as a difference.

    Args:
        path (str): The suite config, for messages.
        entries (Sequence[Entry]): Whose files exist.

    Raises:
        UserError: Names the first two with the same file, or with files of the same content.
    """
    given = [(entry.label, entry.student) for entry in entries if entry.student]
    for (label, student), (other, others) in combinations(given, 2):
        if _same(ROOT / student, ROOT / others):
            files = f'{student}' if student == others else f'{student} and {others}, whose content is the same'
            raise UserError(f'{path}: the entries {label!r} and {other!r} are one student ({files}): take one out')


def _same(one: Path, other: Path) -> bool:
    return one.samefile(other) or filecmp.cmp(one, other, shallow=False)
