"""What a finished run's logs tell: metrics, speed, memory."""

import re
import statistics
from contextlib import suppress
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.io.texts import LIMIT, read_json
from lgd_mm.io.typed_json import is_number
from lgd_mm.runs.history import as_record, read_history

#: What mmengine logs beside the metrics of an evaluation.
NO_METRICS = ('step', 'iter', 'epoch', 'time', 'data_time')


def last_metrics(work_dir: Path) -> dict[str, float]:
    """The last value of every evaluation metric in a run's logs.

    Args:
        work_dir (Path): Of ``tools/train.py`` or ``tools/test.py``.

    Returns:
        dict[str, float]: As the evaluators logged them.
    """
    metrics: dict[str, float] = {}
    for record in [*read_history(work_dir).evaluations, *_tests(work_dir)]:
        metrics.update({key: value for key, value in record.items()
                        if isinstance(value, (int, float)) and not isinstance(value, bool) and key not in NO_METRICS})
    return metrics


def _tests(work_dir: Path) -> list[dict[str, Any]]:
    """Results of test loops, which mmengine writes into ``TIME/TIME.json``."""
    found = []
    for file in sorted(work_dir.glob('*/*.json')):
        if file.stem == file.parent.name:
            try:
                found.append(as_record({'step': 0, **read_json(file, limit=LIMIT)}))
            except (TypeError, ValueError) as error:
                raise UserError(f'{file} holds no metrics of a test: delete the damaged file') from error
    return found


def _logged(work_dir: Path, key: str) -> list[float]:
    """What windows of training have logged; zero means that it is unknown."""
    return [record[key] for record in read_history(work_dir).training if is_number(record.get(key)) and record[key]]


def images_per_second(work_dir: Path, batch_size: int) -> float | None:
    """Training images per second, loading included; the median of all logged windows.

    Args:
        work_dir (Path): Of the run.
        batch_size (int): Images in a step of all processes.

    Returns:
        float, optional: None if nothing was trained.
    """
    times = _logged(work_dir, 'time')
    return batch_size / statistics.median(times) if times else None


def gpu_name(work_dir: Path) -> str | None:
    """The GPUs of a run's latest start, as mmengine logs them; None without any."""
    logs = sorted(file for file in work_dir.glob('*/*.log') if file.stem == file.parent.name)
    with suppress(OSError):
        text = read_plain(logs[-1], LIMIT).decode(errors='replace') if logs else ''
        return ' / '.join(dict.fromkeys(re.findall(r'^ +GPU [\d,]+: (.+)$', text, re.MULTILINE))) or None
    return None


def peak_memory(work_dir: Path, resident: float | None) -> tuple[float | None, str | None]:
    """The largest memory of a run.

    Args:
        work_dir (Path): Of the run.
        resident (float, optional): What its process took at most, in MiB; None: unknown.

    Returns:
        tuple[float | None, str | None]: MiB, and ``'GPU'`` where mmengine logged one, else ``'process'``; both are None
        if neither is known.
    """
    on_gpu = _logged(work_dir, 'memory')
    if on_gpu:
        return max(on_gpu), 'GPU'
    return (round(resident), 'process') if resident else (None, None)
