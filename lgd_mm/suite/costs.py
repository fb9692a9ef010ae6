"""What each entry's student costs where it runs: measured after the runs, and shown beside what they are worth."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.table import Table
from rich.text import Text

from lgd_mm.api.backbones import backbone_named
from lgd_mm.console.words import first_line
from lgd_mm.costs.measure import cost_key, measure_cost
from lgd_mm.costs.report import Cost, Timing
from lgd_mm.costs.request import BATCH, SIZE, cores
from lgd_mm.costs.table import cost_notes, format_latency, ran_by
from lgd_mm.errors import UserError
from lgd_mm.suite.definition import PRETRAINING, Entry, Suite, resolved
from lgd_mm.suite.figures import find_cell
from lgd_mm.suite.files import read_results
from lgd_mm.suite.markup import plain, table_of
from lgd_mm.suite.schema import Results
from lgd_mm.suite.table import format_seconds


class CostColumns(NamedTuple):
    """The table of costs.

    Attributes:
        headings (list[str]): Behind the entry's label.
        rows (list[tuple[str, list[str]]]): Label and cells of each entry.
        notes (list[str]): What must be known beside them, as sentences.
    """

    headings: list[str]
    rows: list[tuple[str, list[str]]]
    notes: list[str]


def earlier_costs(file: Path) -> dict[str, Cost]:
    """What an earlier run of a suite has measured.

    Args:
        file (Path): Its ``results.json``; it may not exist, or be damaged: then nothing.
    """
    try:
        return read_results(file).costs if file.is_file() else {}
    except UserError:
        return {}


def measure_costs(suite: Suite, labels: Sequence[str], earlier: Mapping[str, Cost],
                  tell: Callable[[str], object]) -> dict[str, Cost]:
    """Measure the students of some entries, each architecture once; nothing else should run.

    Args:
        suite (Suite): With ``cost``.
        labels (Sequence[str]): Of the entries.
        earlier (Mapping[str, Cost]): Of :func:`earlier_costs`; what depends on nothing that has changed is kept.
        tell (Callable[[str], object]): Prints why one could not be measured: the results of its tasks stand.

    Returns:
        dict[str, Cost]: By label.
    """
    request: dict[str, Any] = dict(size=SIZE, batch=BATCH, threads=[1, cores()]) | dict(suite.cost or {})
    known = {cost.key: cost for cost in earlier.values()}
    found: dict[str, Cost] = {}
    for entry in suite.entries:
        if entry.label not in labels:
            continue
        try:
            backbone = _backbone(suite, entry)
            key = cost_key(backbone, **request)
            if key not in known:
                known[key] = measure_cost(entry.label, backbone, **request)
            found[entry.label] = known[key]
        except Exception as error:  # of a config or a network: the figures of the tasks are worth a report without it
            reason = str(error) if isinstance(error, UserError) else f'{type(error).__name__}: {first_line(error)}'
            tell(f'the cost of {entry.label!r} is not known: {reason}')
    return found


def _backbone(suite: Suite, entry: Entry) -> dict[str, Any]:
    """An entry's backbone. One that begins at random is as the first that is pre-trained, or as the first task has it.
    """
    if named := entry.backbone or suite.backbone:
        return backbone_named(named)
    if entry.student:
        return backbone_named(str(entry.student))
    made = entry if entry.pretrain else next((other for other in suite.entries if other.pretrain), None)
    if made and made.pretrain:
        cfg = resolved(made.pretrain, [option for option in made.options if '{student:' not in option])
    else:
        config, options = next((task.config, task.options) for task in suite.tasks if task.config)
        cfg = resolved(config, options)
    if 'backbone' not in (cfg.get('model') or {}):
        raise UserError(f'{cfg.filename} has no model.backbone')
    backbone: dict[str, Any] = cfg.model.backbone.to_dict()
    kind = str(backbone['type'])
    return {**backbone, 'type': kind if '.' in kind else f'{cfg.get("default_scope", "mmpretrain")}.{kind}'}


def cost_columns(results: Results) -> CostColumns | None:
    """The table of costs, with the time of each pre-training.

    Args:
        results (Results): The content of ``results.json``.

    Returns:
        CostColumns, optional: None if nothing was measured.
    """
    if not results.costs:
        return None
    kinds = list(dict.fromkeys(ran_by(timing) for cost in results.costs.values() for timing in cost.timings))
    headings = ['parameters', 'multiply-adds', *(f'{what}, {kind}' for kind in kinds for what in ('ms', 'images/s')),
                'pre-training']
    rows = []
    for label in (entry.label for entry in results.entries):
        cost, cell = results.costs.get(label), find_cell(results, label, PRETRAINING)
        timings = {ran_by(timing): timing for timing in cost.timings} if cost else {}
        cells = [f'{cost.parameters / 1e6:.2f} M', f'{cost.multiply_adds / 1e9:.3f} G'] if cost else ['–', '–']
        for kind in kinds:
            cells += _speed(timings.get(kind))
        rows.append((label, [*cells, format_seconds(cell.seconds) if cell and cell.seconds is not None else '–']))
    sizes = dict.fromkeys(f'Images of {cost.size} x {cost.size}.' for cost in results.costs.values())
    notes = dict.fromkeys(note for cost in results.costs.values() for note in cost_notes(cost))
    return CostColumns(headings, rows, [*sizes, *notes])


def _speed(timing: Timing | None) -> list[str]:
    return [format_latency(timing), f'{timing.images_per_second:.4g}'] if timing else ['–', '–']


def costs_table(results: Results) -> Table:
    """The same for a terminal.

    Args:
        results (Results): With ``costs``.
    """
    shown = cost_columns(results)
    assert shown is not None
    table = Table(title=Text('What a student costs', 'italic'), caption='\n'.join(shown.notes), caption_justify='left')
    table.add_column('entry')
    for heading in shown.headings:
        table.add_column(Text(heading.replace(', ', '\n')), justify='right')
    for label, cells in shown.rows:
        table.add_row(Text(label), *cells)
    return table


def costs_markdown(results: Results) -> list[str]:
    """The same as parts of ``report.md``; none if nothing was measured.

    Args:
        results (Results): The content of ``results.json``.
    """
    shown = cost_columns(results)
    if shown is None:
        return []
    lines = [['entry', *shown.headings], *([plain(label), *cells] for label, cells in shown.rows)]
    return ['## What a student costs', table_of(lines), '\n'.join(f'- {plain(note)}' for note in shown.notes)]
