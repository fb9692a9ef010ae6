"""The results as a table for the terminal."""

import math

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lgd_mm.suite.figures import Column, columns, find_cell, find_figure
from lgd_mm.suite.marks import leaders
from lgd_mm.suite.schema import Cell, Results

#: Figures beside each other that fit a terminal of 100 columns.
COLUMNS_PER_TABLE = 5


def results_table(results: Results) -> RenderableType:
    """Entries x metrics as ``mean ± std``, with the time of each row; further tables for further metrics.

    Args:
        results (Results): The content of ``results.json``.

    Returns:
        RenderableType: For a rich console; its last lines tell n, the rule of marking, the machine and the total time.
    """
    leading = leaders(results)
    shown = columns(results)
    starts = range(0, max(1, len(shown)), COLUMNS_PER_TABLE)
    tables = [_table(results, leading, shown[start:start + COLUMNS_PER_TABLE], last=start == starts[-1])
              for start in starts]
    tables[0].title = Text(results.title, 'italic')
    return Group(*tables, *(Text(note, 'dim') for note in notes(results)))


def _table(results: Results, leading: dict[tuple[str, str], str | None], shown: list[Column],
           last: bool) -> Table:
    table = Table()
    table.add_column('entry')
    for column in shown:
        table.add_column(Text(f'{column.task}\n{column.heading}'), justify='right')
    if last:
        table.add_column('time\nper seed', justify='right')
    for label in (entry.label for entry in results.entries):
        figures = [Text(' '.join(format_figure(results, label, column)).strip(),
                        'bold' if leading[column.task, column.key] == label else '') for column in shown]
        table.add_row(Text(label), *figures, *([format_row_time(results, label)] if last else []))
    return table


def format_figure(results: Results, label: str, column: Column) -> tuple[str, str]:
    """What stands in the table: ``('31.4', '± 0.6')``, or ``('31.4', '')`` with one seed.

    Without a figure ``('–', '')`` where the entry cannot do the task, ``('failed', '')``, ``('nan', '')`` where a seed
    has measured no finite number, or ``('…', '')`` where it is still to come.
    """
    if figure := find_figure(results, label, column):
        return f'{figure.mean:.1f}', '' if figure.std is None else f'± {figure.std:.1f}'
    cell = find_cell(results, label, column.task)
    if any(entry.label == label and column.task in entry.without for entry in results.entries):
        return '–', ''
    if cell and cell.state == 'done' and column.key in cell.metrics:
        return 'nan', ''
    return 'failed' if cell and cell.state == 'failed' else '…', ''


def format_row_time(results: Results, label: str) -> str:
    """Time of an entry's pre-training and tasks together, mean over the seeds."""
    seconds = [cell.seconds for cell in results.cells if cell.entry == label and cell.seconds is not None]
    return format_seconds(sum(seconds)) if seconds else '…'


def notes(results: Results) -> list[str]:
    """What a reader must know beside the figures, as sentences."""
    measured = [cell for cell in results.cells if cell.state == 'done' and cell.metrics]
    if not measured:
        return ['Nothing has been measured yet.']
    counts = sorted({cell.n for cell in measured})
    used = sorted({seed for cell in measured for seed in cell.seeds})
    seeds = ', '.join(map(str, used))
    if counts == [1]:
        of = 'seed' if len(used) == 1 else 'of seeds'
        marking = f'Percent; n = 1 ({of} {seeds}), so the standard deviation is unknown and no figure is marked.'
    else:
        of = '' if len(used) == counts[0] else 'of '
        n = f'n = {counts[0]} seeds ({of}{seeds})' if len(counts) == 1 else f'n = {counts[0]} to {counts[-1]} seeds'
        marking = (f'Percent; mean ± standard deviation over {n}; bold leads every other figure of its column '
                   '(5 % for any false mark in the table; docs/evaluation.md).')
    total = f'{format_seconds(results.seconds)} in total on {machine(results)}, {results.machine.date}.'
    return [marking, total, *_versions(results), *_missing(results)]


def _versions(results: Results) -> list[str]:
    """Of the tasks, where one has had another protocol before."""
    changed = [f'{task.name} is version {task.version}{f" of {task.task}" if task.task else ""}'
               for task in results.tasks if task.version > 1]
    return [f'Protocols that have changed: {"; ".join(changed)}. Figures of other versions do not compare.'
            ] if changed else []


def _missing(results: Results) -> list[str]:
    """The words that stand for missing figures, as far as they are used."""
    used = {format_figure(results, entry.label, column)[0]
            for entry in results.entries for column in columns(results)}
    meanings = {'–': 'the entry cannot do this task.', '…': 'not run yet, or not with all seeds.',
                'nan': 'a seed has measured NaN, or an infinite number.'}
    return [f'{mark} : {meaning}' for mark, meaning in meanings.items() if mark in used]


def machine(results: Results) -> str:
    """The machine on one line, as far as it is known."""
    about = results.machine
    threads = f'{about.threads} CPU threads' if about.threads else None
    return ', '.join(filter(None, [about.gpu, about.processor, threads])) or 'an unknown machine'


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


def format_memory(cell: Cell) -> str:
    """``1.2 GiB (GPU)`` or ``812 MiB (process)``; ``–`` if unknown."""
    size = cell.peak_memory_mb
    if size is None:
        return '–'
    return f'{f"{size / 1024:.1f} GiB" if size >= 1024 else f"{size:.0f} MiB"} ({cell.memory_of})'
