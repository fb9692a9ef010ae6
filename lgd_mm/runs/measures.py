"""What a finished run's logs tell: metrics, speed, memory."""

import json
import re
import statistics
from pathlib import Path
from typing import Any

from lgd_mm.runs.history import read_history

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
                        if isinstance(value, (int, float)) and key not in NO_METRICS})
    return metrics


def _tests(work_dir: Path) -> list[dict[str, Any]]:
    """Results of test loops, which mmengine writes into ``TIME/TIME.json``."""
    return [json.loads(file.read_text()) for file in sorted(work_dir.glob('*/*.json')) if file.stem == file.parent.name]


def images_per_second(work_dir: Path, batch_size: int) -> float | None:
    """Training images per second, loading included; the median of all logged windows.

    Args:
        work_dir (Path): Of the run.
        batch_size (int): Images in a step of all processes.

    Returns:
        float, optional: None if nothing was trained.
    """
    times = [record['time'] for record in read_history(work_dir).training if record.get('time')]
    return batch_size / statistics.median(times) if times else None


def gpu_name(work_dir: Path) -> str | None:
    """The GPUs of a run's latest start, as mmengine logs them; None without any."""
    logs = sorted(file for file in work_dir.glob('*/*.log') if file.stem == file.parent.name)
    names = re.findall(r'^ +GPU [\d,]+: (.+)$', logs[-1].read_text(errors='replace'), re.MULTILINE) if logs else []
    return ' / '.join(dict.fromkeys(names)) or None


def peak_memory(work_dir: Path, resident: float | None) -> dict[str, float | str | None]:
    """The largest memory of a run.

    Args:
        work_dir (Path): Of the run.
        resident (float, optional): What its process took at most, in MiB; None: unknown.

    Returns:
        dict: ``peak_memory_mb`` (MiB), and ``memory_of``: ``'GPU'`` where mmengine logged one, else ``'process'``; both
        are None if neither is known.
    """
    on_gpu = [record['memory'] for record in read_history(work_dir).training if record.get('memory')]
    if on_gpu:
        return dict(peak_memory_mb=max(on_gpu), memory_of='GPU')
    return dict(peak_memory_mb=resident and round(resident), memory_of=resident and 'process')
