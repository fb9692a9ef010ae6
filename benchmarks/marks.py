"""How often the rule of the marks is wrong, and what it finds: the figures of docs/evaluation.md.

Tables of students without a true difference are made from the real runs of suites, so any mark is false. In each column
all students have the mean of a real one. Alike, they also have its standard deviation and its images; unlike, each has
those of another real one. The deviations of the seeds are drawn by a smoothed bootstrap (Silverman & Young 1987) from
those of all real runs, each in units of its student's standard deviation, and the test set is one of the draws of the
real one. Columns are drawn independently, which makes a false mark in any of them likelier. Power: the same with the
real means of all students, which then differ.

Usage: ``python benchmarks/marks.py RESULTS.json ... [--tables 2000]``
"""

import argparse
import math
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from lgd_mm.statistics.differences import LEVEL, Row, estimate, holm
from lgd_mm.suite.figures import Column, columns
from lgd_mm.suite.files import read_results
from lgd_mm.suite.marks import decide, rows
from lgd_mm.suite.schema import DRAWS

Floats = NDArray[np.float64]
#: A column of a table: rows by label.
Rows = dict[str, Row]
#: Students and seeds of the tables.
SHAPES = ((2, 2), (2, 3), (2, 5), (4, 3), (6, 3), (6, 5))


class Real(NamedTuple):
    """A column of a suite, with the rows of at least three seeds and with draws of the images."""

    column: Column
    rows: Rows

    @property
    def deviations(self) -> Floats:
        """Of all runs from their student's mean, in units of its standard deviation."""
        return np.concatenate([(row.values - row.values.mean()) / row.values.std(ddof=0) for row in self.rows.values()])


def real_columns(files: Sequence[Path]) -> list[Real]:
    """Those of all files that have two such rows."""
    found = []
    for results in map(read_results, files):
        for column in columns(results):
            usable = {label: row for label, row in rows(results, column).items()
                      if row.draws is not None and len(row.seeds) > 2}
            if len(usable) > 1:
                found.append(Real(column, usable))
    return found


def drawn(real: Real, labels: Sequence[str], seeds: int, generator: np.random.Generator,
          mean: float | None = None) -> Rows:
    """A column of made-up students, each like the real one of its label, but for a mean that all of them have."""
    pool = real.deviations
    test_set = generator.integers(DRAWS)
    smooth = (4 / (3 * len(pool)))**0.2  # Silverman's width, of a standard deviation of 1
    made = {}
    for number, label in enumerate(labels):
        row = real.rows[label]
        assert row.draws is not None
        moved = generator.choice(pool, seeds) + smooth * generator.standard_normal(seeds)
        values = row.values.std(ddof=1) * moved / math.sqrt(1 + smooth**2)
        images = row.draws[generator.integers(len(row.seeds), size=seeds)]
        images -= images.mean(axis=1, keepdims=True)
        values += (row.values.mean() if mean is None else mean) + images[:, test_set]
        draws = values[:, None] + images
        made[f'{number} {label}'] = Row(tuple(range(seeds)), values, draws)
    return made


def without_difference(real: Real, count: int, seeds: int, alike: bool, generator: np.random.Generator) -> Rows:
    """A column of students of one mean, that vary as one real student or as several."""
    labels = list(map(str, generator.choice(list(real.rows), 1 if alike else count))) * (count if alike else 1)
    return drawn(real, labels, seeds, generator, float(real.rows[labels[0]].values.mean()))


def this_rule(table: Sequence[Rows]) -> bool:
    """Whether anything is marked."""
    return any(lead is not None for lead in decide(table, [1] * len(table)))


def any_difference(table: Sequence[Rows]) -> bool:
    """Whether any student differs from the first, by the rule of differences from a reference."""
    found = [estimate(row, first, (row, first)) for column in table for first, *others in [list(column.values())]
             for row in others]
    return min(holm([one.p for one in found if one]), default=1) < LEVEL


def both_deviations(table: Sequence[Rows]) -> bool:
    """The former rule: mean less standard deviation above every other mean plus standard deviation."""
    for column in table:
        figures = sorted(((row.values.mean(), row.values.std(ddof=1)) for row in column.values()), reverse=True)
        if figures[0][0] - figures[0][1] > max(mean + std for mean, std in figures[1:]):
            return True
    return False


def seed_bootstrap(table: Sequence[Rows]) -> bool:
    """Seeds drawn with replacement in the place of Student's t."""
    generator = np.random.default_rng(0)
    ps = []
    for column in table:
        best = max(column.values(), key=lambda row: float(row.values.mean()))
        places = generator.integers(len(best.values), size=(500, len(best.values)))
        ps.append(max(min(1.0, 2 * float(np.mean((best.values - row.values)[places].mean(axis=1) <= 0)))
                      for row in column.values() if row is not best))
    return min(holm(ps)) < LEVEL


RULES: dict[str, Callable[[Sequence[Rows]], bool]] = {
    'this rule': this_rule, 'differences': any_difference, 'both deviations': both_deviations,
    'bootstrap of the seeds': seed_bootstrap}


def false_marks(real: Sequence[Real], tables: int) -> Table:
    """Percent of tables with any mark, without a true difference."""
    shown = Table('students', 'seeds', *RULES)
    for kind, (count, seeds) in product(('alike', 'unlike'), SHAPES):
        generator = np.random.default_rng(0)
        wrong = np.zeros(len(RULES))
        for _ in range(tables):
            table = [without_difference(column, count, seeds, kind == 'alike', generator) for column in real]
            wrong += [rule(table) for rule in RULES.values()]
        shown.add_row(f'{count} {kind}', str(seeds), *(f'{100 * share:.1f} %' for share in wrong / tables))
    return shown


def power(real: Sequence[Real], first: str, second: str, tables: int) -> Table:
    """Percent of tables in which two real students differ, by Holm over the columns."""
    of_both = [column for column in real if {first, second} <= {*column.rows}]
    shown = Table(f'{first} - {second}, seeds', *(f'{found.column.task} {found.column.title}' for found in of_both))
    for seeds in (2, 3, 5):
        generator = np.random.default_rng(0)
        hits = np.zeros(len(of_both))
        for _ in range(tables):
            ps = []
            for column in of_both:
                made = drawn(column, list(column.rows), seeds, generator)
                a, b = (made[f'{list(column.rows).index(label)} {label}'] for label in (first, second))
                found = estimate(a, b, list(made.values()))
                ps.append(found.p if found and found.mean > 0 else 1.0)
            hits += [p < LEVEL for p in holm(ps)]
        shown.add_row(str(seeds), *(f'{100 * share:.0f} %' for share in hits / tables))
    return shown


def leads(real: Sequence[Real], label: str) -> list[str]:
    """The columns that a student leads among those with the same seeds, which are a table here."""
    of_label = [column for column in real if label in column.rows]
    peers = [{name: row for name, row in column.rows.items() if row.seeds == column.rows[label].seeds}
             for column in of_label]
    return [f'{found.column.task} {found.column.title}'
            for found, lead in zip(of_label, decide(peers, [1] * len(peers))) if lead == label]


def main() -> None:
    """Simulate, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('results', nargs='+', type=Path)
    parser.add_argument('--tables', type=int, default=2000)
    parser.add_argument('--pair', nargs=2, default=('LGD', 'SEED'), metavar='LABEL', help='for the power')
    args = parser.parse_args()
    console = Console()
    real = real_columns(args.results)
    for found in real:
        named = ', '.join(found.rows)
        console.print(f'{found.column.task} {found.column.title}: {len(found.deviations)} runs of {named}')
    led = ', '.join(leads(real, args.pair[0])) or 'nothing'
    console.print(f'{args.pair[0]} leads the students of its seeds in {led}')
    console.print(false_marks(real, args.tables), power(real, *args.pair, args.tables))


if __name__ == '__main__':
    main()
