"""The files of a suite are written whole or not at all, and checked when they are read."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain, write_text
from lgd_mm.io.texts import parse_json, read_json
from lgd_mm.io.typed_json import from_json, is_number
from lgd_mm.suite.schema import VERSION, Record, Results, Start

#: Bytes that the record of a run may have.
LARGEST_RECORD = 2**24


class Damaged(UserError):
    """The record of a run is not as any run has left it."""


def write(path: Path, content: Results | Record | Start) -> None:
    """Write a file of a suite whole or not at all.

    Args:
        path (Path): The file.
        content (Results | Record | Start): Without NaN or infinite numbers.

    Raises:
        UserError: If it cannot be written.
    """
    text = json.dumps(asdict(content), indent=1, allow_nan=False)
    try:
        write_text(path, text)
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error.strerror}): free disk space, correct its permissions or '
                        'move it away, and the same command goes on') from error


def read_results(path: Path) -> Results:
    """Read a suite's results, of this version or an earlier one.

    Args:
        path (Path): A ``results.json``.

    Returns:
        Results: Its content.

    Raises:
        UserError: If it is missing, damaged or something else.
    """
    content = read_json(path)
    _check_version(content, path)
    for cell in _cells(content):  # earlier versions wrote NaN
        cell['metrics'] = {key: figure if _is_figure(figure) else None for key, figure in cell['metrics'].items()}
    return from_json(Results, content, f'{path}', 'give the results.json in the work dir of a suite; the command of '
                     'the suite writes it anew from the runs that are done')


def read_record(path: Path) -> Start | Record | None:
    """Read what a run has left, of this version or an earlier one.

    Args:
        path (Path): A ``run.json``; it may not exist.

    Returns:
        Start | Record, optional: Finished or not; None without a file.

    Raises:
        UserError: If it cannot be read.
        Damaged: If it was read, and is damaged.
    """
    try:
        text = read_plain(path, LARGEST_RECORD)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f'{path} cannot be read ({error.strerror}): correct its permissions or move it away, and the '
                        'same command goes on') from error
    try:
        return _record(parse_json(text, f'{path}'), path)
    except UserError as error:
        raise Damaged(*error.args) from error


def _record(content: Any, path: Path) -> Start | Record:
    _check_version(content, path)
    cure = 'delete it, and the command of the suite makes the run anew'
    if not isinstance(content, dict) or content.get('done') is not True:
        return from_json(Start, content, f'{path}', cure)
    if isinstance(content.get('metrics'), dict):  # earlier versions wrote NaN
        content['metrics'] = finite(content['metrics'])
    return from_json(Record, content, f'{path}', cure)


def finite(metrics: dict[str, Any]) -> dict[str, Any]:
    """Metrics with None for NaN, infinite numbers and those beyond 2**53.

    Args:
        metrics (dict): By key.
    """
    return {key: None if type(value) in (int, float) and not is_number(value) else value
            for key, value in metrics.items()}


def _cells(content: Any) -> list[dict[str, Any]]:
    """Those of version 1 with metrics, as far as the content has any."""
    cells = content.get('cells') if isinstance(content, dict) and content.get('version', 1) == 1 else None
    return [cell for cell in cells if isinstance(cell, dict) and isinstance(cell.get('metrics'), dict)
            ] if isinstance(cells, list) else []


def _is_figure(figure: Any) -> bool:
    """Whether no number of a figure is NaN, infinite or beyond 2**53; what else is wrong with it is told later."""
    values = [value for item in figure.values() for value in (item if isinstance(item, list) else [item])
              ] if isinstance(figure, dict) else []
    return all(is_number(value) for value in values if type(value) in (int, float))


def _check_version(content: Any, path: Path) -> None:
    version: Any = content.get('version') if isinstance(content, dict) else None
    if is_number(version) and version > VERSION:
        raise UserError(f'{path} was written by a later version of lgd_mm (its version is {version}, and this one '
                        f'reads up to {VERSION}): update lgd_mm')
