"""Which figures of a suite are marked, and how students differ: one rule for all tables (docs/evaluation.md)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lgd_mm.statistics.differences import LEVEL, Row, estimate, holm
from lgd_mm.suite.figures import Column, columns, find_cell, find_figure
from lgd_mm.suite.schema import Results


class Difference(NamedTuple):
    """A student's figure minus that of the reference, in percent.

    Attributes:
        label (str): The student's.
        reference (str): The other's.
        column (Column): The metric.
        mean (float): Over the seeds that both have, if they share two or more.
        low (float, optional): Lower end of the 95 % interval; None with one seed.
        high (float, optional): Upper end.
        p (float, optional): Two-sided.
        adjusted (float, optional): ``p`` by Holm, over all differences of the table.
    """

    label: str
    reference: str
    column: Column
    mean: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    adjusted: float | None = None

    @property
    def significant(self) -> bool:
        """Whether it is more than chance, among all differences of the table."""
        return self.adjusted is not None and self.adjusted < LEVEL


def rows(results: Results, column: Column) -> dict[str, Row]:
    """Every student that has a figure in a column, by label.

    Args:
        results (Results): The content of ``results.json``.
        column (Column): One of its metrics.

    Returns:
        dict[str, Row]: In the order of the table. Draws are left out where not all students have them for the same
        images.
    """
    found = {}
    for entry in results.entries:
        figure, cell = find_figure(results, entry.label, column), find_cell(results, entry.label, column.task)
        if figure and cell:
            draws = np.array(figure.draws) if figure.draws and cell.tested else None
            found[entry.label] = Row(tuple(cell.seeds), np.array(figure.values), draws)
    if len(image_sets(results, column.task)) != 1 or any(row.draws is None for row in found.values()):
        return {label: row._replace(draws=None) for label, row in found.items()}
    return found


def image_sets(results: Results, task: str) -> set[str]:
    """The sets of test images that a task's students were measured on, by digest; '' for an unknown one."""
    return {cell.tested.digest if cell.tested else '' for cell in results.cells if cell.task == task and cell.n}


def _comparable(results: Results, column: Column) -> bool:
    """Whether no two students are known to have been measured on different images."""
    return len(image_sets(results, column.task) - {''}) < 2


def leaders(results: Results) -> dict[tuple[str, str], str | None]:
    """Which student leads each column by more than chance explains.

    The best leads when it differs from every other one; the p of a column is the largest of these. Since the best is
    compared with its rivals alone, two-sided, the level holds for any number of rivals (Gutmann & Maymin 1987, *Is the
    selected population the best?*); that over the columns is kept by Holm's method. With one seed nobody leads, nor
    where the students of a column were measured on different images.

    Args:
        results (Results): The content of ``results.json``.

    Returns:
        dict[tuple[str, str], str | None]: For each task and metric key, the leading student's label, or None.
    """
    shown = columns(results)
    found = decide([rows(results, column) if _comparable(results, column) else {} for column in shown],
                   [1 if column.better == 'higher' else -1 for column in shown])
    return {(column.task, column.key): lead for column, lead in zip(shown, found)}


def decide(table: Sequence[Mapping[str, Row]], signs: Sequence[int]) -> list[str | None]:
    """The rule of :func:`leaders` on rows.

    Args:
        table (Sequence[Mapping[str, Row]]): For each column, the rows by label.
        signs (Sequence[int]): 1 where more is better, -1 where less is.

    Returns:
        list[str | None]: Who leads each column.
    """
    found = [_best(column, sign) for column, sign in zip(table, signs)]
    adjusted = holm([best and best[1] for best in found])
    return [best[0] if best and p is not None and p < LEVEL else None for best, p in zip(found, adjusted)]


def _best(column: Mapping[str, Row], sign: int) -> tuple[str, float] | None:
    """The best of a column, and the p that it does not lead; None where that cannot be tested."""
    if len(column) < 2:
        return None
    best = max(column, key=lambda label: sign * column[label].values.mean())
    estimates = [estimate(column[best], row, list(column.values())) for label, row in column.items() if label != best]
    # over the seeds that two rows share, the best of all may be behind
    ps = [one.p if sign * one.mean > 0 else 1.0 for one in estimates if one]
    return (best, max(ps)) if len(ps) == len(estimates) else None


def differences(results: Results, reference: str) -> list[Difference]:
    """Every student's figures minus those of one of them.

    Args:
        results (Results): The content of ``results.json``.
        reference (str): Label of the student that the others are compared with.

    Returns:
        list[Difference]: Student by student, in the order of the columns; none of a column whose students were
            measured on different images.
    """
    found: list[Difference] = []
    for column in (column for column in columns(results) if _comparable(results, column)):
        of_column = rows(results, column)
        for label, row in of_column.items() if reference in of_column else ():
            if label != reference:
                found.append(_difference(label, reference, column, row, of_column[reference]))
    order = [entry.label for entry in results.entries]
    found.sort(key=lambda one: order.index(one.label))
    return [one._replace(adjusted=adjusted) for one, adjusted in zip(found, holm([one.p for one in found]))]


def _difference(label: str, reference: str, column: Column, row: Row, other: Row) -> Difference:
    """By the seeds of the two alone: a leader has to differ from all rivals, which makes up for students that vary
    unlike each other; here one false difference is enough."""
    found = estimate(row, other, (row, other))
    if found is None:
        return Difference(label, reference, column, float(row.values.mean() - other.values.mean()))
    low, high = found.mean - found.margin, found.mean + found.margin
    return Difference(label, reference, column, found.mean, low, high, found.p)
