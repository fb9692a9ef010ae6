"""Two suites side by side: what both measured, and whether the difference is more than chance."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lgd_mm.statistics.differences import LEVEL, Estimate, estimate, holm
from lgd_mm.suite.figures import Column, columns, find_cell, find_figure
from lgd_mm.suite.files import read_results
from lgd_mm.suite.marks import rows
from lgd_mm.suite.schema import Figure, Results
from lgd_mm.suite.unlike_tasks import unlike_tasks


class Pair(NamedTuple):
    """A figure of an entry that both suites have.

    Attributes:
        label (str): The entry.
        column (Column): The metric.
        a (Figure): Of the first suite.
        b (Figure): Of the second.
        found (Estimate, optional): What is known of the difference; None with one seed.
        adjusted (float, optional): Its probability without a true difference, by Holm over all pairs.
    """

    label: str
    column: Column
    a: Figure
    b: Figure
    found: Estimate | None
    adjusted: float | None = None

    @property
    def difference(self) -> float:
        """B minus A, over the seeds that both have if they share two or more."""
        return self.found.mean if self.found else self.b.mean - self.a.mean

    @property
    def exceeds(self) -> bool:
        """Whether it is more than chance, among all that are shown (docs/evaluation.md)."""
        return self.adjusted is not None and self.adjusted < LEVEL


class Comparison(NamedTuple):
    """What two suites share, and what they do not.

    Attributes:
        pairs (list[Pair]): Figures both have, in A's order.
        notes (list[str]): Sentences on what is not subtracted, on what only one of them has, and on what they were
            measured with.
    """

    pairs: list[Pair]
    notes: list[str]


def compare(a: Results, b: Results) -> Comparison:
    """Match two suites by the labels of entries, the names of tasks and the keys of metrics.

    Args:
        a (Results): The content of a ``results.json``.
        b (Results): Another.

    Returns:
        Comparison: Of B with A.
    """
    unfinished = [*_unfinished('A', a), *_unfinished('B', b)]
    a, b = _as_far_as_run(a), _as_far_as_run(b)
    apart = unlike_tasks(a, b)
    shared = [column for column in columns(a) if _name(column) in map(_name, columns(b)) and column.task not in apart]
    labels = _labels(b)
    pairs = []
    for label in _labels(a):
        for column in shared if label in labels else ():
            before, after = find_figure(a, label, column), find_figure(b, label, column)
            if before and after:
                two = rows(a, column)[label], rows(b, column)[label]
                pairs.append(Pair(label, column, before, after, estimate(two[1], two[0], two)))
    adjusted = holm([pair.found.p if pair.found else None for pair in pairs])
    pairs = [pair._replace(adjusted=p) for pair, p in zip(pairs, adjusted)]
    return Comparison(pairs, [*apart.values(), *unfinished, *_only('A', a, b), *_only('B', b, a), *_conditions(a, b)])


def compare_table(a: Path, b: Path) -> RenderableType:
    """Read two ``results.json`` and show them side by side.

    Args:
        a (Path): The first file.
        b (Path): The second one; differences are it minus the first.

    Returns:
        RenderableType: For a rich console.

    Raises:
        UserError: If a file is no ``results.json``.
    """
    pairs, notes = compare(read_results(a), read_results(b))
    table = Table('entry', 'task', 'metric', title=Text(f'A: {a}\nB: {b}'))
    for heading in ('A', 'B', 'B - A'):
        table.add_column(heading, justify='right', no_wrap=True)
    before = None
    for pair in pairs:
        if before not in (None, pair.label):
            table.add_section()
        table.add_row(
            Text('' if before == pair.label else pair.label), Text(pair.column.task), Text(pair.column.heading),
            _figure(pair.a), _figure(pair.b), Text(_difference(pair), 'bold' if pair.exceeds else ''))
        before = pair.label
    rule = ('Percent; mean ± standard deviation over seeds; differences with their 95 % interval, and * where they are '
            'more than chance (5 % for any false one in the table; docs/evaluation.md).')
    shown = [table, Text(rule, 'dim')] if pairs else [Text('The two suites have no figure in common.')]
    return Group(*shown, *(Text(note, 'dim') for note in notes))


def _difference(pair: Pair) -> str:
    """``+3.2 ± 1.5 *``, or ``+3.2`` with one seed."""
    margin = f' ± {pair.found.margin:.1f}' if pair.found else ''
    return f'{pair.difference:+.1f}{margin}{" *" if pair.exceeds else ""}'


def _figure(figure: Figure) -> str:
    std = '' if figure.std is None else f' ± {figure.std:.1f}'
    return f'{figure.mean:.1f}{std}'


def _name(column: Column) -> tuple[str, str]:
    return column.task, column.key


def _labels(results: Results) -> list[str]:
    return [entry.label for entry in results.entries]


def _unfinished(name: str, results: Results) -> list[str]:
    cells = [f'{cell.entry}, {cell.task} (n = {cell.n})' for cell in results.cells
             if cell.state != 'done' and cell.n and cell.metrics]
    return [f'Not all seeds of {name} are there: {"; ".join(cells)}.'] if cells else []


def _as_far_as_run(results: Results) -> Results:
    """With the seeds that are there in the place of all."""
    return replace(results, cells=[replace(cell, state='done') if cell.n else cell for cell in results.cells])


def _only(name: str, one: Results, other: Results) -> list[str]:
    """Entries, metrics and, of those both have, cells that only one suite has measured."""
    names = [_name(column) for column in columns(other)]
    labels = _labels(other)
    entries = [label for label in _labels(one) if label not in labels]
    metrics = [f'{column.task} {column.title}' for column in columns(one) if _name(column) not in names]
    cells = dict.fromkeys(
        f'{label}, {column.task}' for label in _labels(one) for column in columns(one)
        if label in labels and _name(column) in names and find_figure(one, label, column)
        and not find_figure(other, label, column))
    parts = dict(entries=entries, metrics=metrics, figures=list(cells))
    return [f'Only {name} has the {kind}: {"; ".join(found)}.' for kind, found in parts.items() if found]


def _conditions(a: Results, b: Results) -> list[str]:
    """A sentence each for versions, machines and config hashes that differ."""
    sentences = []
    facts = dict(Versions=(a.versions, b.versions), Machines=(vars(a.machine), vars(b.machine)))
    for title, (first, second) in facts.items():
        parts = [f'{name} {first.get(name) or "unknown"} in A, {second.get(name) or "unknown"} in B'
                 for name in {**first, **second} if name != 'date' and first.get(name) != second.get(name)]
        sentences += [f'{title} differ: {"; ".join(parts)}.'] if parts else []
    changed = _changed(a, b)
    if changed:
        sentences.append('Settings, files, folders or versions differ (by the hash of the run): ' + '; '.join(changed) +
                         '.')
    return sentences


def _changed(a: Results, b: Results) -> Sequence[str]:
    """Cells of which a seed that both have was run with another hash."""
    changed = []
    for cell in a.cells:
        other = find_cell(b, cell.entry, cell.task)
        if other:
            hashes = dict(zip(other.seeds, other.hashes))
            if any(hashes.get(seed, digest) != digest for seed, digest in zip(cell.seeds, cell.hashes)):
                changed.append(f'{cell.entry}, {cell.task}')
    return changed
