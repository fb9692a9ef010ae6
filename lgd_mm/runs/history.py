"""The scalars that mmengine wrote while training: one history, however often the run was resumed."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from lgd_mm.errors import UserError
from lgd_mm.io.texts import read_text
from lgd_mm.io.typed_json import is_number

#: What is counted or averaged, and has to be numbers; beside them, some metrics are texts.
NUMBERS = ('step', 'iter', 'epoch', 'time', 'data_time', 'loss', 'memory')


class History(NamedTuple):
    """Records of one run, each a dict with ``step``, in the order of training.

    Attributes:
        training (list[dict]): Windows of iterations with ``loss``, its terms, ``iter`` and, in epoch-based runs,
            ``epoch``; ``step`` counts iterations.
        evaluations (list[dict]): Metrics of the validation set; ``step`` counts epochs in epoch-based runs and
            iterations otherwise.
    """

    training: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]


def read_history(work_dir: str | Path) -> History:
    """Read ``*/vis_data/scalars.json`` below a work dir and join the parts of a resumed run.

    Each start of a run has its own time-stamped folder. A later part counts from its first step on: what an earlier
    part logged from there was lost with the interruption and trained again.

    Args:
        work_dir (str | Path): The run's work dir.

    Returns:
        History: Training and evaluation records; both empty when nothing was logged.

    Raises:
        UserError: If a file cannot be read, or a line, other than a last one cut off by a kill, is not JSON or no
            record.
    """
    history = History([], [])
    for file in sorted(Path(work_dir).glob('*/vis_data/scalars.json')):  # folders are named by time
        records = _read_lines(file)
        _continue(history.training, [record for record in records if 'loss' in record])
        _continue(history.evaluations, [record for record in records if 'loss' not in record])
    return history


def _continue(earlier: list[dict[str, Any]], later: list[dict[str, Any]]) -> None:
    """Append a later part in place of whatever the earlier one had from its first step on."""
    if later:
        earlier[:] = [record for record in earlier if record['step'] < later[0]['step']] + later


def _read_lines(file: Path) -> list[dict[str, Any]]:
    """Records of one file; a last line without its newline was cut off by a kill and is dropped."""
    *lines, _cut_off = read_text(file).split('\n')
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(as_record(json.loads(line)))
        except (ValueError, RecursionError) as error:
            reason = getattr(error, 'msg', None) or (str(error) if str(error).startswith('no ') else 'it is damaged')
            raise UserError(f'{file}, line {number} is not JSON of a training ({reason}): delete the damaged file and '
                            'run it again') from error
    return records


def as_record(value: Any) -> dict[str, Any]:
    """A record of a log, once it is one.

    Raises:
        ValueError: If it has no step, or what is counted is no number.
    """
    if not isinstance(value, dict):
        raise ValueError('no record')
    for key in NUMBERS:
        item = value.get(key, 0)
        if type(item) not in (int, float) or (type(item) is int and item.bit_length() > 63):
            raise ValueError(f'no number at {key!r}')
    if not is_number(value.get('step')):
        raise ValueError("no 'step'")
    return value
