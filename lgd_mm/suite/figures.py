"""The figures of a suite: its columns, and what stands where an entry meets one."""

from typing import NamedTuple

from lgd_mm.suite.schema import Cell, Figure, Results


class Column(NamedTuple):
    """A metric of a task.

    Attributes:
        task (str): Name of the task.
        key (str): As the evaluator logs it.
        title (str): In the table.
        better (str): ``'higher'`` or ``'lower'``.
        scale (float): From the evaluator's value to percent.
    """

    task: str
    key: str
    title: str
    better: str
    scale: float

    @property
    def heading(self) -> str:
        """The title; an arrow says where less is better."""
        return self.title if self.better == 'higher' else f'{self.title} ↓'


def columns(results: Results) -> list[Column]:
    """The metrics of all tasks, in the order of the table."""
    return [Column(task.name, **vars(metric)) for task in results.tasks for metric in task.metrics]


def find_cell(results: Results, label: str, task: str) -> Cell | None:
    """The cell of an entry and a task; None where the two do not go together or were not chosen."""
    return next((cell for cell in results.cells if (cell.entry, cell.task) == (label, task)), None)


def find_figure(results: Results, label: str, column: Column) -> Figure | None:
    """That of a finished cell, in percent, or None."""
    cell = find_cell(results, label, column.task)
    return cell.metrics.get(column.key) if cell and cell.state == 'done' else None
