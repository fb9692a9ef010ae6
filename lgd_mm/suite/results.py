"""From the records of runs to ``results.json``: one cell for each entry and task."""

import json
import os
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.suite.definition import PRETRAINING, Suite
from lgd_mm.suite.run import Run


def collect(suite: Suite, runs: Sequence[Run], records: Mapping[Run, dict[str, Any]], failures: Mapping[Run, str],
            command: str) -> dict[str, Any]:
    """Gather what is known so far.

    Args:
        suite (Suite): The suite.
        runs (Sequence[Run]): The planned runs, and others that are finished.
        records (Mapping[Run, dict]): Of the finished ones.
        failures (Mapping[Run, str]): What the failed ones said last.
        command (str): That made it.

    Returns:
        dict: The content of ``results.json``: ``suite``, ``title``, ``note``, ``command``, ``tasks``, ``entries``,
        ``cells``, ``seconds``, ``versions`` and ``machine``. A cell has the ``mean``, ``spread`` (standard deviation
        over seeds) and ``values`` of each metric in percent.
    """
    places = [PRETRAINING, *(task.name for task in suite.tasks)]
    labels = [entry.label for entry in suite.entries]
    runs = sorted(runs, key=lambda run: (labels.index(run.entry), places.index(run.task), suite.seeds.index(run.seed)))
    chosen = {run.task for run in runs}
    tasks = [task for task in suite.tasks if task.name in chosen]
    scales = {task.name: {metric.key: metric.scale for metric in task.metrics} for task in tasks}
    grouped: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        grouped.setdefault((run.entry, run.task), []).append(run)
    return dict(
        suite=suite.name,
        title=suite.title,
        note=suite.note,
        command=command,
        tasks=[
            dict(name=task.name, config=str(task.config),
                 metrics=[dict(key=metric.key, title=metric.title, better=metric.better, scale=metric.scale)
                          for metric in task.metrics])
            for task in tasks
        ],
        entries=[
            dict(label=entry.label, pretrain=entry.pretrain and str(entry.pretrain),
                 student=entry.student and str(entry.student), without=list(entry.without))
            for entry in suite.entries if any(run.entry == entry.label for run in runs)
        ],
        cells=[_cell(group, records, failures, scales.get(task, {})) for (_, task), group in grouped.items()],
        seconds=sum(record['seconds'] for record in records.values()),
        versions=_common([record['versions'] for record in records.values()]),
        machine=_common([record['machine'] for record in records.values()]))


def check_replaceable(file: Path, suite: str) -> None:
    """See that what is to be replaced are results of the same suite.

    Args:
        file (Path): ``results.json``; it may not exist.
        suite (str): Name of the suite.

    Raises:
        UserError: If they are of another one, or no results.
    """
    if not os.path.lexists(file):
        return
    try:
        found = json.loads(read_plain(file))
        of = found['suite'] if isinstance(found, dict) and 'cells' in found else None
    except OSError as error:
        raise UserError(f'{file} cannot be replaced ({error.strerror}): move it away, or give another folder with '
                        '--work-dir') from error
    except (KeyError, ValueError, RecursionError):
        of = None
    if of != suite:
        what = 'no results of a suite' if of is None else f'of suite {of}'
        raise UserError(f'{file} is {what}, and would be replaced by those of suite {suite}: move it away, or give '
                        'another folder with --work-dir')


def _cell(runs: Sequence[Run], records: Mapping[Run, dict[str, Any]], failures: Mapping[Run, str],
          scales: Mapping[str, float]) -> dict[str, Any]:
    """An entry's runs of one task: done if all are, failed if one is."""
    done = [records[run] for run in runs if run in records]
    failed = [f'seed {run.seed}: {failures[run]}' for run in runs if run in failures]
    return dict(
        entry=runs[0].entry,
        task=runs[0].task,
        state='failed' if failed else 'done' if len(done) == len(runs) else 'not run',
        seeds=[record['seed'] for record in done],
        n=len(done),
        metrics={key: _spread([record['metrics'][key] * scale for record in done])
                 for key, scale in scales.items()} if done else {},
        seconds=_mean([record['seconds'] for record in done]),
        images_per_second=_mean([record['images_per_second'] for record in done]),
        peak_memory_mb=max((record['peak_memory_mb'] for record in done if record['peak_memory_mb']), default=None),
        memory_of=done[0]['memory_of'] if done else None,
        commands=[record['command'] for record in done],
        work_dirs=[record['work_dir'] for record in done],
        hashes=[record['hash'] for record in done],
        versions=_common([record['versions'] for record in done]),
        machine=_common([record['machine'] for record in done]),
        error='\n'.join(failed) or None)


def _spread(values: Sequence[float]) -> dict[str, Any]:
    return dict(mean=statistics.mean(values), spread=statistics.stdev(values) if len(values) > 1 else None,
                values=list(values))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.mean(known) if known else None


def _common(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What all parts share; where they differ, all known values, as a suite may go on elsewhere or later."""
    values = {key: list(dict.fromkeys(part[key] for part in parts if part.get(key) is not None))
              for part in parts for key in part}
    return {key: found[0] if len(found) == 1 else ' / '.join(map(str, found)) or None
            for key, found in values.items()}
