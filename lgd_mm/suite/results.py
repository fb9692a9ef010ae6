"""From the records of runs to ``results.json``: one cell for each entry and task."""

import json
import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.io.typed_json import is_number
from lgd_mm.suite.definition import PRETRAINING, Suite
from lgd_mm.suite.run import Run
from lgd_mm.suite.schema import VERSION, Cell, EntryRow, Figure, ImageSet, Machine, Record, Results, TaskColumns


def collect(suite: Suite, runs: Sequence[Run], records: Mapping[Run, Record], failures: Mapping[Run, str],
            command: str) -> Results:
    """Gather what is known so far.

    Args:
        suite (Suite): The suite.
        runs (Sequence[Run]): The planned runs, and others that are finished.
        records (Mapping[Run, Record]): Of the finished ones.
        failures (Mapping[Run, str]): What the failed ones said last.
        command (str): That made it.

    Returns:
        Results: The content of ``results.json``.
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
    return Results(
        version=VERSION,
        suite=suite.name,
        title=suite.title,
        note=suite.note,
        command=command,
        tasks=[TaskColumns(task.name, str(task.config or ''), list(task.metrics), task.task, task.version)
               for task in tasks],
        entries=[
            EntryRow(entry.label, _name(entry.pretrain), _name(entry.student), list(entry.without))
            for entry in suite.entries if any(run.entry == entry.label for run in runs)
        ],
        cells=[_cell(group, records, failures, scales.get(task, {})) for (_, task), group in grouped.items()],
        seconds=sum(record.seconds for record in records.values()),
        versions=_common([record.versions for record in records.values()]),
        machine=_machine(records.values()),
        backbone=suite.backbone,
        reference=suite.reference if any(run.entry == suite.reference for run in runs) else None)


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


def _cell(runs: Sequence[Run], records: Mapping[Run, Record], failures: Mapping[Run, str],
          scales: Mapping[str, float]) -> Cell:
    """An entry's runs of one task: done if all are, failed if one is."""
    finished = [run for run in runs if run in records]
    done = [records[run] for run in finished]
    failed = [f'seed {run.seed}: {failures[run]}' for run in runs if run in failures]
    return Cell(
        entry=runs[0].entry,
        task=runs[0].task,
        state='failed' if failed else 'done' if len(done) == len(runs) else 'not run',
        seeds=[run.seed for run in finished],
        n=len(done),
        metrics={key: _figure(done, key, scale) for key, scale in scales.items()} if done else {},
        seconds=_mean([record.seconds for record in done]),
        images_per_second=_mean([record.images_per_second for record in done]),
        peak_memory_mb=max((record.peak_memory_mb for record in done if record.peak_memory_mb), default=None),
        memory_of=done[0].memory_of if done else None,
        commands=[record.command for record in done],
        work_dirs=[str(run.work_dir) for run in finished],
        hashes=[record.hash for record in done],
        versions=_common([record.versions for record in done]),
        machine=_machine(done),
        error='\n'.join(failed) or None,
        tested=_same([record.tested for record in done]))


def _figure(records: Sequence[Record], key: str, scale: float) -> Figure | None:
    """None if a seed has measured no number: the mean of the others would be that of the luckier ones."""
    values = [record.metrics[key] for record in records]
    scaled = [value * scale for value in values if value is not None and is_number(value * scale)]
    if len(scaled) < len(values):
        return None
    figure = Figure.of(scaled)
    if _same([record.tested for record in records]) and all(key in record.draws for record in records):
        figure.draws = [record.draws[key] for record in records]
        classes = [record.classes.get(key, {}) for record in records]
        # without objects, a class has an IoU only where a seed takes some pixels for it
        figure.classes = {name: [of_seed[name] for of_seed in classes] for name in classes[0]
                          if all(name in of_seed for of_seed in classes)}
    return figure


def _same(tested: Sequence[ImageSet | None]) -> ImageSet | None:
    return tested[0] if tested and all(one == tested[0] for one in tested) else None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.mean(known) if known else None


def _name(file: Path | None) -> str | None:
    return None if file is None else str(file)


def _machine(records: Iterable[Record]) -> Machine:
    return Machine(**_common([vars(record.machine) for record in records]))


def _common(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What all parts share; where they differ, all known values, as a suite may go on elsewhere or later."""
    values = {key: list(dict.fromkeys(part[key] for part in parts if part.get(key) is not None))
              for part in parts for key in part}
    return {key: found[0] if len(found) == 1 else ' / '.join(map(str, found)) or None
            for key, found in values.items()}
