"""The results as a table for the terminal, and the rule that says which figure leads."""

import math
from typing import Any

from rich.table import Table
from rich.text import Text

#: Metrics in the order of the columns, with the names people use; all in percent.
METRICS = {
    'zero_shot/top1': 'zero-shot top-1',
    'coco/bbox_mAP': 'box AP',
    'coco/segm_mAP': 'mask AP',
    'ade20k/mIoU': 'mIoU',
}


def results_table(results: dict[str, Any]) -> Table:
    """Rows x metrics as ``mean ± spread``, with the seconds of each row.

    Args:
        results (dict): The contents of ``results.json``.

    Returns:
        Table: For a rich console; its caption tells n, the rule of marking, the machine and the total time.
    """
    table = Table(title='Quickstart', caption='\n'.join(notes(results)), caption_justify='left')
    table.add_column('backbone')
    for title in METRICS.values():
        table.add_column(title, justify='right')
    table.add_column('time per seed', justify='right')
    leading = leaders(results)
    for index, row in enumerate(results['rows']):
        styles = ['bold' if leading[metric] == index else '' for metric in METRICS]
        cells = [Text(' '.join(format_metric(row, metric)).strip(), style) for metric, style in zip(METRICS, styles)]
        table.add_row(Text(row['label']), *cells, format_seconds(row_seconds(results, row['label'])))
    return table


def leaders(results: dict[str, Any]) -> dict[str, int | None]:
    """Which row leads in each metric by more than chance explains.

    A row leads when its mean minus its spread is above every other row's mean plus that row's spread. Without a spread
    (one seed) or a second figure, nobody leads.

    Args:
        results (dict): The contents of ``results.json``.

    Returns:
        dict[str, int | None]: Index of the leading row for each metric, or None.
    """
    return {metric: _leader(results['rows'], metric) for metric in METRICS}


def _leader(rows: list[dict], metric: str) -> int | None:
    measured = [index for index, row in enumerate(rows) if row['metrics'][metric] is not None]
    spreads = {index: rows[index]['spread'][metric] for index in measured}
    if len(measured) < 2 or None in spreads.values():
        return None
    best = max(measured, key=lambda index: rows[index]['metrics'][metric])
    floor = rows[best]['metrics'][metric] - spreads[best]
    others = [rows[index]['metrics'][metric] + spreads[index] for index in measured if index != best]
    return best if floor > max(others) else None


def format_metric(row: dict[str, Any], metric: str) -> tuple[str, str]:
    """One cell: ``('31.4', '± 0.6')``, ``('31.4', '')`` with one seed, or ``('–', '')`` where there is no figure."""
    mean, spread = row['metrics'][metric], row['spread'][metric]
    return '–' if mean is None else f'{mean:.1f}', '' if spread is None else f'± {spread:.1f}'


def row_seconds(results: dict[str, Any], label: str) -> float:
    """Seconds of a row's own stages, per seed; stages that all rows share are in none."""
    return sum(stage['seconds'] for stage in results['stages'] if stage['label'] == label) / len(results['seeds'])


def notes(results: dict[str, Any]) -> list[str]:
    """What a reader must know beside the figures, as sentences."""
    n = len(results['seeds'])
    if n == 1:
        marking = f'Percent; n = 1 (seed {results["seeds"][0]}), so the spread is unknown and no figure is marked.'
    else:
        marking = (f'Percent; mean ± standard deviation over n = {n} seeds; bold leads by more than both deviations '
                   'together.')
    return [marking, f'{format_seconds(results["seconds"])} in total on {machine(results)}.']


def machine(results: dict[str, Any]) -> str:
    """The machine on one line."""
    about = results['machine']
    return ', '.join(filter(None, [about['gpu'], about['processor'], f'{about["threads"]} CPU threads']))


def format_seconds(seconds: float) -> str:
    """``0.4 s``, ``42 s``, ``3 min 05 s`` or ``1 h 02 min``."""
    if seconds < 9.95:
        return f'{seconds:.1f} s'
    whole = math.floor(seconds + 0.5)
    if whole < 60:
        return f'{whole} s'
    if whole < 3600:
        return f'{whole // 60} min {whole % 60:02d} s'
    minutes = math.floor(seconds / 60 + 0.5)
    return f'{minutes // 60} h {minutes % 60:02d} min'
