"""What a run of a suite has left in its folder, read with a sentence for each fault."""

import json
import math
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain

#: Bytes a record may have.
LARGEST = 2**24
#: What a record of a finished run holds.
FINISHED: dict[str, tuple[type, ...]] = dict(
    entry=(str, ), task=(str, ), seed=(int, ), command=(str, ), work_dir=(str, ), metrics=(dict, ), versions=(dict, ),
    machine=(dict, ), images_per_second=(int, float, type(None)), peak_memory_mb=(int, float, type(None)),
    memory_of=(str, type(None)))


def read_record(path: Path) -> dict[str, Any] | None:
    """Read ``run.json``.

    Args:
        path (Path): It may not exist.

    Returns:
        dict[str, Any], optional: None if there is none.

    Raises:
        UserError: If it is damaged.
    """
    try:
        record = json.loads(read_plain(path, LARGEST).decode())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _damaged(path, str(error.strerror)) from error
    except (ValueError, RecursionError) as error:  # no text, no JSON, numbers of too many digits, or too deep a nesting
        raise _damaged(path, 'it is no JSON') from error
    if not isinstance(record, dict):
        raise _damaged(path, f'it holds a {type(record).__name__}')
    _check(path, record, dict(hash=(str, ), done=(bool, ), seconds=(int, float)))
    return record


def check_finished(path: Path, record: dict[str, Any]) -> None:
    """See that a record has what a finished run leaves.

    Args:
        path (Path): Of the record; named in the error.
        record (dict[str, Any]): As read.

    Raises:
        UserError: If it is damaged.
    """
    _check(path, record, FINISHED)
    for part in ('versions', 'machine'):
        odd = next((key for key, value in record[part].items() if isinstance(value, (dict, list))), None)
        if odd is not None:
            raise _damaged(path, f'its {part}.{odd} is a {type(record[part][odd]).__name__}')


def _check(path: Path, record: dict[str, Any], kinds: dict[str, tuple[type, ...]]) -> None:
    for key, kind in kinds.items():
        if key not in record or not _is(record[key], kind):
            raise _damaged(path, f'its {key} is {shown(record.get(key))}')


def no_number(metrics: dict[str, Any], name: str) -> bool:
    """Whether a metric is none that can be compared, such as NaN."""
    return not _is(metrics[name], (int, float))


def _is(value: Any, kinds: tuple[type, ...]) -> bool:
    """Numbers are finite, and no truth values."""
    if isinstance(value, bool):
        return bool in kinds
    if not isinstance(value, kinds):
        return False
    try:
        return not isinstance(value, (int, float)) or math.isfinite(float(value))
    except OverflowError:
        return False


def shown(value: Any) -> str:
    """A value for a sentence, however long it is."""
    return f'{value!r:.60}' if not isinstance(value, int) or abs(value) < 10**60 else 'a number of too many digits'


def _damaged(path: Path, why: str) -> UserError:
    return UserError(f'{path} is damaged ({why}): delete it, and the same command runs it anew')
