"""The curves of a suite's runs: losses of the pre-trainings, losses and metrics of the tasks."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup

from lgd_mm.io.typed_json import is_number
from lgd_mm.report.charts import Curve, curve_chart
from lgd_mm.runs.history import History, read_history
from lgd_mm.suite.definition import PRETRAINING
from lgd_mm.suite.schema import Results


class Charts(NamedTuple):
    """Titles and SVG of the charts.

    Attributes:
        pretraining (list[tuple[str, Markup]]): The loss of each entry's pre-training, as methods have losses of their
            own.
        tasks (list[tuple[str, Markup]]): For each task its loss, and its metrics if they were measured on the way; one
            line for each entry.
    """

    pretraining: list[tuple[str, Markup]]
    tasks: list[tuple[str, Markup]]


def training_charts(results: Results) -> Charts:
    """Draw whatever the work dirs of the cells still have; a line is the mean over the seeds.

    Args:
        results (Results): The content of ``results.json``.

    Returns:
        Charts: No chart without a curve.

    Raises:
        UserError: If a run's scalars are damaged.
    """
    pretraining, tasks = [], []
    for series, histories in _histories(results, PRETRAINING):
        points = _mean(history.training for history in histories)
        if points:
            chart = curve_chart(f'pretraining-{series}', [Curve(series, *zip(*points))], 'iteration')
            pretraining.append((results.entries[series].label, chart))
    for number, task in enumerate(results.tasks):
        runs = _histories(results, task.name)
        curves = [(series, _mean(history.training for history in histories)) for series, histories in runs]
        tasks += _chart(f'{task.name}: loss', f'loss-{number}', curves, 'iteration')
        by_epoch = any('epoch' in record for _, histories in runs for history in histories
                       for record in history.training)
        for index, metric in enumerate(task.metrics):
            curves = [(series, _mean((history.evaluations for history in histories), metric.key, metric.scale))
                      for series, histories in runs]
            curves = [(series, points) for series, points in curves if len(points) > 1]
            tasks += _chart(f'{task.name}: {metric.title}', f'metric-{number}-{index}', curves,
                            'epoch' if by_epoch else 'iteration', markers=True)
    return Charts(pretraining, tasks)


def cells_without_work_dirs(results: Results) -> list[str]:
    """Cells whose folders are gone, in whole or in part, so that curves and predictions lack them."""
    return [f'{cell.entry}, {cell.task}' for cell in results.cells
            if not all(Path(folder).is_dir() for folder in cell.work_dirs)]


def _histories(results: Results, task: str) -> list[tuple[int, list[History]]]:
    """What each entry's runs of a task have logged, with the entry's number."""
    numbers = {entry.label: number for number, entry in enumerate(results.entries)}
    return [(numbers[cell.entry], [read_history(folder) for folder in cell.work_dirs])
            for cell in results.cells if cell.task == task]


def _mean(runs: Iterable[Sequence[dict[str, Any]]], key: str = 'loss', scale: float = 1) -> list[tuple[float, float]]:
    """Steps and, at each, the mean over the runs that logged it."""
    values: dict[float, list[float]] = {}
    for records in runs:
        for record in records:
            if is_number(record.get(key)):
                values.setdefault(record['step'], []).append(record[key] * scale)
    return [(step, sum(found) / len(found)) for step, found in sorted(values.items())]


def _chart(title: str, name: str, curves: Sequence[tuple[int, list[Any]]], x_label: str,
           markers: bool = False) -> list[tuple[str, Markup]]:
    """A chart of the curves that have points; none without any."""
    drawn = [Curve(series, *zip(*points)) for series, points in curves if points]
    return [(title, curve_chart(name, drawn, x_label, markers))] if drawn else []
