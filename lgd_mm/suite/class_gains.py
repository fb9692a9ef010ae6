"""Which classes gain, and which lose, against the reference of a suite."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup

from lgd_mm.report.charts import described
from lgd_mm.report.gain_chart import gain_chart
from lgd_mm.suite.figures import Column, columns, find_figure
from lgd_mm.suite.schema import Results

#: Percent; a smaller difference is shown as none.
LEAST = 0.05


class ClassGains(NamedTuple):
    """A metric of each class, of an entry and of the reference.

    Attributes:
        label (str): The entry.
        series (int): Number of its colour.
        column (Column): The metric.
        figures (dict[str, tuple[float, float]]): The reference's and the entry's, in percent, by class; what gains most
            comes first.
    """

    label: str
    series: int
    column: Column
    figures: dict[str, tuple[float, float]]

    @property
    def gains(self) -> list[tuple[str, float]]:
        """Classes, and the entry's figures minus the reference's."""
        return [(name, ours - theirs) for name, (theirs, ours) in self.figures.items()]

    def sentence(self) -> str:
        """How many classes improve and get worse, and which the most."""
        sign = 1 if self.column.better == 'higher' else -1
        better = [each for each in self.gains if sign * each[1] >= LEAST]
        worse = [each for each in reversed(self.gains) if sign * each[1] <= -LEAST]
        parts = [f'{len(found)} of {len(self.gains)} classes {what}{f", most {_named(found[0])}" if found else ""}'
                 for found, what in ((better, 'improve'), (worse, 'get worse'))]
        return '; '.join(parts)


def class_gains(results: Results, reference: str) -> list[ClassGains]:
    """Compare every entry with the reference, class by class.

    Args:
        results (Results): The content of ``results.json``.
        reference (str): Label of the entry that is subtracted.

    Returns:
        list[ClassGains]: In the order of the table; none where the runs have left no figures of classes.
    """
    found = []
    for column in columns(results):
        theirs = _of_classes(results, reference, column)
        for series, entry in enumerate(results.entries):
            ours = _of_classes(results, entry.label, column) if entry.label != reference else {}
            shared = [(name, (theirs[name], value)) for name, value in ours.items() if name in theirs]
            shared.sort(key=lambda each: each[1][0] - each[1][1], reverse=column.better == 'lower')
            if shared:
                found.append(ClassGains(entry.label, series, column, dict(shared)))
    return found


class ClassTable(NamedTuple):
    """A metric of each class.

    Attributes:
        title (str): Task and metric.
        labels (list[str]): Of the entries beside the reference.
        rows (list[tuple[str, float, list[float | None]]]): Class, the reference's figure, and the differences of the
            entries, in percent; None where an entry has no such class.
    """

    title: str
    labels: list[str]
    rows: list[tuple[str, float, list[float | None]]]


def class_tables(found: Sequence[ClassGains]) -> list[ClassTable]:
    """The same figures, a table for each metric."""
    tables = []
    for column in dict.fromkeys(each.column for each in found):
        entries = [each for each in found if each.column == column]
        theirs = {name: pair[0] for each in entries for name, pair in each.figures.items()}
        gains = [dict(each.gains) for each in entries]
        rows = [(name, figure, [of_entry.get(name) for of_entry in gains]) for name, figure in sorted(theirs.items())]
        tables.append(ClassTable(f'{column.task}: {column.heading}', [each.label for each in entries], rows))
    return tables


def gain_charts(found: Sequence[ClassGains]) -> list[tuple[str, Markup, str]]:
    """Titles and charts of the gains, each with its sentence."""
    charts = []
    for index, each in enumerate(found):
        title = f'{each.label}, {each.column.task}: {each.column.heading}'
        chart = gain_chart(f'classes-{index}', each.gains, each.series, each.column.better == 'higher')
        charts.append((title, described(chart, f'classes-{index}', title, each.sentence()), each.sentence()))
    return charts


def _of_classes(results: Results, label: str, column: Column) -> dict[str, float]:
    """A metric of each class, mean over the seeds; empty where the runs have kept nothing of single images."""
    figure = find_figure(results, label, column)
    return {name: statistics.mean(values) for name, values in figure.classes.items()} if figure else {}


def _named(gain: tuple[str, float]) -> str:
    return f'{gain[0]} ({gain[1]:+.1f})'
