"""What is found, as a file: a table or JSON, and never in the place of something else."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError
from lgd_mm.io.files import write_text
from lgd_mm.io.texts import read_json
from lgd_mm.prediction.table import check_table, write_table

#: Columns, and names in JSON.
CAPTIONS = ['image', 'caption']
ANSWERS = ['image', 'question', 'rank', 'answer', 'probability']


def check_found(file: Path, columns: Sequence[str]) -> None:
    """See that a file may be written.

    Args:
        file (Path): It may not exist.
        columns (Sequence[str]): :data:`CAPTIONS` or :data:`ANSWERS`.

    Raises:
        UserError: If it is neither ``.csv`` nor ``.json``, lies in no folder, or is there and something else.
    """
    if file.suffix not in ('.csv', '.json'):
        raise UserError(f'out: {file} is neither .csv nor .json: give a file of one of them')
    if not file.parent.is_dir():
        raise UserError(f'out: {file.parent} is no folder: give a file in one')
    if file.suffix == '.csv':
        check_table(file, columns)
    elif os.path.lexists(file):
        content = read_json(file, 'out')
        if not isinstance(content, list) or any(
                not isinstance(record, dict) or list(record) != list(columns) for record in content):
            raise UserError(f'out: {file} exists and is no list of {columns[1]}s: give another file, or remove it '
                            'first')


def write_found(file: Path, columns: Sequence[str], records: Sequence[Mapping[str, Any]],
                rows: Iterable[Sequence[Any]]) -> Path:
    """Write a file, whole or not at all.

    Args:
        file (Path): See :func:`check_found`.
        columns (Sequence[str]): The same.
        records (Sequence[Mapping[str, Any]]): For JSON.
        rows (Iterable[Sequence]): The same for a table, with nothing that a spreadsheet would compute.

    Returns:
        Path: The file.

    Raises:
        UserError: If it cannot be written, or is any other file.
    """
    check_found(file, columns)
    if file.suffix == '.csv':
        return write_table(file, columns, rows)
    try:
        write_text(file, json.dumps(list(records), indent=1) + '\n')
    except OSError as error:
        raise UserError(f'out: {file} cannot be written ({error.strerror}): give another file') from error
    return file
