"""The quickstart's report: one HTML file that needs nothing beside it."""

import base64
import os
from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lgd_mm.benchmark import table
from lgd_mm.benchmark.charts import Curve, bar_chart, curve_chart
from lgd_mm.benchmark.scalars import History, read_history

#: What the stages are called in the report.
STAGES = {
    'world': 'Generated world',
    'pretrain': 'LGD pre-training',
    'mask-rcnn': 'Mask R-CNN',
    'upernet': 'UPerNet',
}
#: The loss terms of pre-training, in the order of their colours.
LGD_LOSSES = {'loss': 'total', 'loss_visual': 'visual', 'loss_textual': 'textual'}
#: Endings of the metrics worth a curve, their axis and the factor to percent (COCO's are fractions).
METRIC_CURVES = {
    'top1': ('zero-shot top-1', 1),
    'bbox_mAP': ('box AP', 100),
    'segm_mAP': ('mask AP', 100),
    'mIoU': ('mIoU', 1),
}


def write_report(results: dict[str, Any], out: str | Path, pictures: Sequence[str | Path] = ()) -> None:
    """Write the report, whole or not at all.

    Args:
        results (dict): The contents of ``results.json``. Training stages' ``work_dir`` are read for their curves.
        out (str | Path): The HTML file.
        pictures (Sequence[str | Path]): PNG files of :func:`~lgd_mm.benchmark.predictions.draw_predictions`.
            Defaults to none.

    Raises:
        UserError: If a run's scalars are damaged.
    """
    trained = [(stage, read_history(stage['work_dir'])) for stage in results['stages'] if _is_training(stage)]
    page = _environment().get_template('report.html.jinja').render(
        results=results,
        metrics=table.METRICS,
        leaders=table.leaders(results),
        notes=table.notes(results),
        machine=table.machine(results),
        format_metric=table.format_metric,
        format_seconds=table.format_seconds,
        row_seconds=table.row_seconds,
        bars=[(title, bar_chart(f'bar-{index}', results['rows'], metric))
              for index, (metric, title) in enumerate(table.METRICS.items())],
        loss_charts=_loss_charts(results, trained),
        metric_charts=_metric_charts(results, trained),
        unlogged=[_describe(stage) for stage, history in trained if not history.training],
        pictures=[(Path(file).stem.replace('_', ' '), _data_uri(Path(file))) for file in pictures],
        stage_names=STAGES,
        stages=_stage_times(results['stages']),
        date=datetime.now(timezone.utc).strftime('%Y-%m-%d %H:%M UTC'))
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + '.part')
    part.write_text(page, encoding='utf-8')
    os.replace(part, out)


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True)


def _is_training(stage: dict[str, Any]) -> bool:
    return 'tools/train.py' in stage['command']


def _describe(stage: dict[str, Any]) -> str:
    name = STAGES.get(stage['name'], stage['name'])
    return f'{name} of {stage["label"]}, seed {stage["seed"]} ({stage["work_dir"]})'


def _loss_charts(results: dict[str, Any], trained: list[tuple[dict, History]]) -> list[tuple[str, Markup]]:
    """A chart of the loss for each kind of stage: the terms of pre-training, else one colour for each row."""
    charts: list[tuple[str, Markup]] = []
    for name, runs in _by_name(trained):
        curves: list[Curve] = []
        pretraining = any('loss_textual' in record for _, history in runs for record in history.training)
        for stage, history in runs:
            for number, (key, term) in enumerate(LGD_LOSSES.items() if pretraining else [('loss', None)], start=1):
                points = [(record['step'], record[key]) for record in history.training if key in record]
                series = number if pretraining else _row_number(results, stage)
                _add_curve(curves, term or stage['label'], series, points)
        if curves:
            charts.append((f'{STAGES.get(name, name)}: loss', curve_chart(f'loss-{len(charts)}', curves, 'iteration')))
    return charts


def _metric_charts(results: dict[str, Any], trained: list[tuple[dict, History]]) -> list[tuple[str, Markup]]:
    """A chart for each metric that a run measured more than once."""
    charts: list[tuple[str, Markup]] = []
    for name, runs in _by_name(trained):
        for ending, (title, factor) in METRIC_CURVES.items():
            curves: list[Curve] = []
            for stage, history in runs:
                points = [(record['step'], record[key] * factor) for record in history.evaluations for key in record
                          if key.rsplit('/')[-1] == ending]
                if len(points) > 1:
                    _add_curve(curves, stage['label'], _row_number(results, stage), points)
            if curves:
                x_label = 'epoch' if any('epoch' in record for record in runs[0][1].training) else 'iteration'
                chart = curve_chart(f'metric-{len(charts)}', curves, x_label, markers=True)
                charts.append((f'{STAGES.get(name, name)}: {title}', chart))
    return charts


def _add_curve(curves: list[Curve], label: str, series: int, points: list[tuple[float, float]]) -> None:
    """Add a curve; those of further seeds share the first one's colour and legend entry."""
    if points:
        known = any(curve.label == label for curve in curves)
        curves.append(Curve(None if known else label, series, *zip(*points)))


def _by_name(trained: list[tuple[dict, History]]) -> Iterable[tuple[str, list[tuple[dict, History]]]]:
    """Training stages grouped by their name, in the order of their first run."""
    for name in dict.fromkeys(stage['name'] for stage, _ in trained):
        yield name, [(stage, history) for stage, history in trained if stage['name'] == name]


def _row_number(results: dict[str, Any], stage: dict[str, Any]) -> int:
    """The row of the table that a stage belongs to: the number of its colour."""
    return [row['label'] for row in results['rows']].index(stage['label'])


def _stage_times(stages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Seconds of equal stages added over the seeds, with their share of the longest."""
    sums: dict[tuple, dict[str, Any]] = {}
    for stage in stages:
        entry = sums.setdefault((stage['name'], stage['label']), {**stage, 'seconds': 0.0, 'runs': 0})
        entry['seconds'] += stage['seconds']
        entry['runs'] += 1
    longest = max((entry['seconds'] for entry in sums.values()), default=0) or 1
    return [{**entry, 'share': entry['seconds'] / longest} for entry in sums.values()]


def _data_uri(file: Path) -> str:
    return 'data:image/png;base64,' + base64.b64encode(file.read_bytes()).decode()
