"""Two suites side by side: what both measured, and whether the difference is more than chance."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.suite.table import Column, columns, find_cell, find_figure


class Pair(NamedTuple):
    """A figure of an entry that both suites have: ``mean``, ``spread`` and ``values`` in percent."""

    label: str
    column: Column
    a: dict[str, Any]
    b: dict[str, Any]

    @property
    def difference(self) -> float:
        """B minus A."""
        return self.b['mean'] - self.a['mean']

    @property
    def exceeds(self) -> bool:
        """Whether the difference is larger than both spreads together; with one seed that is unknown: False."""
        spreads = self.a['spread'], self.b['spread']
        return None not in spreads and abs(self.difference) > sum(spreads)


class Comparison(NamedTuple):
    """What two suites share, and what they do not.

    Attributes:
        pairs (list[Pair]): Figures both have, in A's order.
        notes (list[str]): Sentences on what only one of them has, and on what they were measured with.
    """

    pairs: list[Pair]
    notes: list[str]


def compare(a: dict[str, Any], b: dict[str, Any]) -> Comparison:
    """Match two suites by the labels of entries, the names of tasks and the keys of metrics.

    Args:
        a (dict): The content of a ``results.json``.
        b (dict): Another.

    Returns:
        Comparison: Of B with A.
    """
    shared = [column for column in columns(a) if _name(column) in map(_name, columns(b))]
    labels = _labels(b)
    pairs = []
    for label in _labels(a):
        for column in shared if label in labels else ():
            before, after = find_figure(a, label, column), find_figure(b, label, column)
            if before and after:
                pairs.append(Pair(label, column, before, after))
    return Comparison(pairs, [*_only('A', a, b), *_only('B', b, a), *_conditions(a, b)])


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
            _figure(pair.a), _figure(pair.b), Text(f'{pair.difference:+.1f}', 'bold' if pair.exceeds else ''))
        before = pair.label
    rule = 'Percent; mean ± standard deviation over seeds; bold differs by more than both deviations together.'
    shown = [table, Text(rule, 'dim')] if pairs else [Text('The two suites have no figure in common.')]
    return Group(*shown, *(Text(note, 'dim') for note in notes))


def read_results(path: Path) -> dict[str, Any]:
    """Read a suite's results.

    Args:
        path (Path): A ``results.json``.

    Returns:
        dict: Its content.

    Raises:
        UserError: If it is missing or is something else.
    """
    try:
        results = json.loads(read_plain(path))
    except (OSError, ValueError, RecursionError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f'{path} cannot be read as results.json ({reason}): give the file that '
                        'tools/benchmark.py wrote into the work dir of a suite') from error
    keys = {'tasks', 'entries', 'cells', 'versions', 'machine'}
    lacking = keys - results.keys() if isinstance(results, dict) else keys
    if lacking:
        raise UserError(f'{path} is no results.json of tools/benchmark.py: it has no {", ".join(sorted(lacking))}')
    try:
        columns(results)
    except (TypeError, KeyError, AttributeError) as error:
        raise UserError(f'{path} was written by another version of tools/benchmark.py: give the command of its suite '
                        'again, which skips what is done and writes the file anew') from error
    return results


def _figure(figure: dict[str, Any]) -> str:
    spread = '' if figure['spread'] is None else f' ± {figure["spread"]:.1f}'
    return f'{figure["mean"]:.1f}{spread}'


def _name(column: Column) -> tuple[str, str]:
    return column.task, column.key


def _labels(results: dict[str, Any]) -> list[str]:
    return [entry['label'] for entry in results['entries']]


def _only(name: str, one: dict[str, Any], other: dict[str, Any]) -> list[str]:
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


def _conditions(a: dict[str, Any], b: dict[str, Any]) -> list[str]:
    """A sentence each for versions, machines and config hashes that differ."""
    sentences = []
    for title, key, ignored in (('Versions', 'versions', ()), ('Machines', 'machine', ('date', ))):
        names = [name for name in dict.fromkeys([*a[key], *b[key]])
                 if name not in ignored and a[key].get(name) != b[key].get(name)]
        parts = [f'{name} {a[key].get(name, "unknown")} in A, {b[key].get(name, "unknown")} in B' for name in names]
        sentences += [f'{title} differ: {"; ".join(parts)}.'] if parts else []
    changed = _changed(a, b)
    if changed:
        sentences.append('Settings, files, folders or versions differ (by the hash of the run): ' + '; '.join(changed) +
                         '.')
    return sentences


def _changed(a: dict[str, Any], b: dict[str, Any]) -> Sequence[str]:
    """Cells of which a seed that both have was run with another hash."""
    changed = []
    for cell in a['cells']:
        other = find_cell(b, cell['entry'], cell['task'])
        if other:
            hashes = dict(zip(other['seeds'], other['hashes']))
            if any(hashes.get(seed, digest) != digest for seed, digest in zip(cell['seeds'], cell['hashes'])):
                changed.append(f'{cell["entry"]}, {cell["task"]}')
    return changed
