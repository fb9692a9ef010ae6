"""A cost as a file of its own."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from lgd_mm.costs.report import Cost
from lgd_mm.errors import UserError
from lgd_mm.io.files import write_text
from lgd_mm.io.texts import read_json
from lgd_mm.io.typed_json import from_json


def read_cost(file: Path) -> Cost:
    """Read what :func:`write_cost` wrote.

    Args:
        file (Path): JSON.

    Returns:
        Cost: Its content.

    Raises:
        UserError: If it is missing, damaged or something else.
    """
    return from_json(Cost, read_json(file), str(file), 'give a file that lgd-mm cost has written')


def check_replaceable(file: Path) -> None:
    """See that no other file would be replaced, such as the student.

    Args:
        file (Path): To be written; it may not exist.

    Raises:
        UserError: If it is something else than a cost, or nothing, or its folder does not exist.
    """
    if not file.parent.is_dir():
        raise UserError(f'{file} cannot be written: {file.parent} is no folder')
    if not os.path.lexists(file):
        return
    try:
        read_cost(file)
    except UserError as error:
        raise UserError(f'{file} exists and is no cost of a student: give another file, or remove it first') from error


def write_cost(file: Path, cost: Cost) -> None:
    """Write a cost as JSON, whole or not at all.

    Args:
        file (Path): Where to.
        cost (Cost): As it was measured.

    Raises:
        UserError: If it cannot be written, or another file is there.
    """
    check_replaceable(file)
    try:
        write_text(file, json.dumps(asdict(cost), indent=1, allow_nan=False) + '\n')
    except OSError as error:
        raise UserError(f'{file} cannot be written ({error.strerror}): give another file') from error
