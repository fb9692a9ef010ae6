"""Average precision of small, medium and large objects, which the evaluators of COCO and LVIS log beside the whole."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lgd_mm.errors import UserError
from lgd_mm.report.charts import Bar
from lgd_mm.suite.figures import Column, columns, find_cell
from lgd_mm.suite.files import read_record
from lgd_mm.suite.images import RECORD
from lgd_mm.suite.schema import Cell, Figure, Record, Results

#: Size -> what COCO's and LVIS's keys end with. Areas of up to 32**2, up to 96**2, and more pixels.
SIZES = {'small': ('_s', 's'), 'medium': ('_m', 'm'), 'large': ('_l', 'l')}


class SizeFigures(NamedTuple):
    """A metric of the objects of one size.

    Attributes:
        column (Column): The metric of all objects.
        size (str): ``'small'``, ``'medium'`` or ``'large'``.
        figures (dict[str, Figure]): By the label of the entry, in percent.
    """

    column: Column
    size: str
    figures: dict[str, Figure]

    @property
    def title(self) -> str:
        """``Mask R-CNN: box AP, small objects``."""
        return f'{self.column.task}: {self.column.heading}, {self.size} objects'

    def bars(self, results: Results) -> list[Bar]:
        """One for each entry."""
        found = ((entry.label, self.figures.get(entry.label)) for entry in results.entries)
        return [Bar(label, figure.mean, figure.std, figure.values, '') if figure else Bar(label, None, None, (), '–')
                for label, figure in found]


def size_figures(results: Results) -> list[SizeFigures]:
    """Read the records in the work dirs of the cells.

    Args:
        results (Results): The content of ``results.json``.

    Returns:
        list[SizeFigures]: None of sizes that no test image has, of metrics without sizes, and of lost work dirs.
    """
    labels = [entry.label for entry in results.entries]
    records = {(cell.entry, cell.task): _records(cell) for cell in results.cells if cell.state == 'done'}
    found = []
    for column in columns(results):
        for size, ends in SIZES.items():
            figures = {label: figure for label in labels if find_cell(results, label, column.task) and (
                figure := _figure(records.get((label, column.task), ()), column, ends))}
            if figures:
                found.append(SizeFigures(column, size, figures))
    return found


def _records(cell: Cell) -> list[Record]:
    """Of all seeds, or none: the mean of some, or of runs that have taken their folders since, is not the table's."""
    found = []
    for folder, digest in zip(cell.work_dirs, cell.hashes):
        try:
            record = read_record(Path(folder) / RECORD)
        except UserError:  # the figures are worth a report without it
            record = None
        if not isinstance(record, Record) or record.hash != digest:
            return []
        found.append(record)
    return found


def _figure(records: Sequence[Record], column: Column, ends: Sequence[str]) -> Figure | None:
    """Over the seeds; -1 stands for a size without objects."""
    keys = [column.key + end for end in ends]
    logged = [next((record.metrics[key] for key in keys if key in record.metrics), None) for record in records]
    values = [value * column.scale for value in logged if value is not None and value >= 0]
    if not values or len(values) < len(records):
        return None
    return Figure.of(values)
