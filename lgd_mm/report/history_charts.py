"""Curves of one run, from the scalars it logged."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from lgd_mm.report.charts import Curve, curve_chart
from lgd_mm.runs.history import History

#: What mmengine logs beside losses.
TITLES = dict(lr='learning rate', grad_norm='gradient norm', time='seconds per iteration')
#: What mmengine logs beside the metrics of an evaluation.
NO_METRICS = ('step', 'iter', 'epoch', 'time', 'data_time', 'seconds')


def training_charts(history: History) -> list[tuple[str, Markup]]:
    """Titles and charts of the losses, first the whole, and of what else was logged more than once while training."""
    charts = []
    for number, key in enumerate(_logged(history)):
        points = _points(history.training, key)
        if len(points) > 1:
            chart = curve_chart(f'training-{number}', [Curve(1, *zip(*points))], 'iteration')
            charts.append((TITLES.get(key, key), chart))
    return charts


def training_values(history: History) -> list[tuple[str, str]]:
    """Titles and values of what was logged only once: a point is no curve."""
    found = ((key, _points(history.training, key)) for key in _logged(history))
    return [(TITLES.get(key, key), f'{points[0][1]:.4g} at iteration {points[0][0]:,}')
            for key, points in found if len(points) == 1]


def _logged(history: History) -> list[str]:
    """Keys of the losses, first the whole, and of what else was logged while training."""
    keys = list(dict.fromkeys(key for record in history.training for key in record))
    losses = sorted((key for key in keys if 'loss' in key), key=lambda key: key != 'loss')
    return [*losses, *(key for key in TITLES if key in keys)]


def accuracy_charts(history: History, teacher: Mapping[str, float]) -> list[tuple[str, Markup, bool]]:
    """Metrics of the student over time (colour 1), and the teacher's (colour 0).

    Args:
        history (History): What the run logged.
        teacher (Mapping[str, float]): The teacher's metrics, or nothing.

    Returns:
        list[tuple[str, Markup, bool]]: Titles, charts, and whether the teacher is in it.
    """
    by_epoch = any('epoch' in record for record in history.training)
    charts = []
    for number, key in enumerate(evaluated(history)):
        points = _points(history.evaluations, key)
        curves = [Curve(1, *zip(*points))]
        if key in teacher:
            last = max(points[-1][0], 1)
            curves.insert(0, Curve(0, [0, last], [teacher[key]] * 2))
        chart = curve_chart(f'accuracy-{number}', curves, 'epoch' if by_epoch else 'iteration', markers=True)
        charts.append((key, chart, key in teacher))
    return charts


def evaluated(history: History) -> list[str]:
    """Metrics of the evaluations."""
    return list(dict.fromkeys(key for record in history.evaluations for key, value in record.items()
                              if key not in NO_METRICS and isinstance(value, (int, float))))


def _points(records: Sequence[dict[str, Any]], key: str) -> list[tuple[float, float]]:
    return [(record['step'], record[key]) for record in records if key in record]
