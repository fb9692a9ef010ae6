"""What is in the files of a suite: ``results.json``, and ``run.json`` in the folder of each run."""

import statistics
from dataclasses import dataclass, field
from typing import Literal

from lgd_mm.costs.report import Cost

#: Version of both files. Files of version 1 have no number, and ``spread`` for ``std``; before 3 nothing is known of
#: single test images.
VERSION = 3
#: Of the test images, with replacement; a standard error of as many is known to one part in twenty.
DRAWS = 200


@dataclass(frozen=True)
class Metric:
    """One column of the table.

    Attributes:
        key (str): As the evaluator logs it, such as ``'coco/bbox_mAP'``.
        title (str): In the table, such as ``'box AP'``.
        scale (float): Brings it to percent.
        better (str): ``'higher'`` or ``'lower'``.
    """

    key: str
    title: str
    scale: float
    better: Literal['higher', 'lower']


@dataclass
class Machine:
    """What a figure was measured on; None: unknown. Of several machines, all values with slashes between."""

    platform: str | None = None
    processor: str | None = None
    threads: int | str | None = None
    gpu: str | None = None
    date: str | None = None


@dataclass
class ImageSet:
    """The images that a run was tested on.

    Attributes:
        images (int): Their number.
        digest (str): Of their names and their order.
    """

    images: int
    digest: str


@dataclass
class Start:
    """``run.json`` of a run that is not finished.

    Attributes:
        hash (str): Of its settings: see :meth:`lgd_mm.suite.run.Run.hash`.
        seconds (float): Over all its starts.
        done (bool): False.
        version (int): Of the file.
    """

    hash: str
    seconds: float = 0.0
    done: bool = False
    version: int = 1


@dataclass
class Record:
    """``run.json`` of a finished run.

    Attributes:
        hash (str): Of its settings.
        entry (str): Label of its row.
        task (str): ``'pre-training'`` or a task's name.
        seed (int): Of the run.
        command (str): As a person would type it, without ``python``.
        work_dir (str): Its folder.
        metrics (dict[str, float | None]): As the evaluators logged them; None: NaN, infinite or beyond 2**53.
        seconds (float): Over all its starts.
        images_per_second (float, optional): Of training.
        peak_memory_mb (float, optional): In MiB.
        memory_of (str, optional): ``'GPU'`` or ``'process'``.
        versions (dict[str, str]): Of the packages.
        machine (Machine): It ran on.
        done (bool): True.
        version (int): Of the file.
        tested (ImageSet, optional): The test images; None if the run has kept nothing of them.
        draws (dict[str, list[float]]): By metric, its percentage of each of several draws of the test images.
        classes (dict[str, dict[str, float]]): By metric, the percentage of each class.
    """

    hash: str
    entry: str
    task: str
    seed: int
    command: str
    work_dir: str
    metrics: dict[str, float | None]
    seconds: float
    images_per_second: float | None
    peak_memory_mb: float | None
    memory_of: str | None
    versions: dict[str, str]
    machine: Machine
    done: bool = True
    version: int = 1
    tested: ImageSet | None = None
    draws: dict[str, list[float]] = field(default_factory=dict)
    classes: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass
class Figure:
    """A metric over the seeds, in percent.

    Attributes:
        mean (float): Over the seeds.
        std (float, optional): Standard deviation over the seeds; None with one.
        values (list[float]): Of each seed.
        draws (list[list[float]]): Of each seed, its percentage of each of several draws of the test images, which are
            the same for all runs; empty if a run has kept nothing of them.
        classes (dict[str, list[float]]): Of each class and seed.
    """

    mean: float
    std: float | None = field(metadata={'before': 'spread'})
    values: list[float]
    draws: list[list[float]] = field(default_factory=list)
    classes: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def of(cls, values: list[float]) -> 'Figure':
        """Of the values of each seed."""
        return cls(statistics.mean(values), statistics.stdev(values) if len(values) > 1 else None, values)

    def __post_init__(self) -> None:
        seeds = len(self.values)
        if self.draws and list(map(len, self.draws)) != seeds * [DRAWS]:
            raise ValueError(f'has draws that are not {DRAWS} for each of {seeds} values')
        if any(len(of_class) != seeds for of_class in self.classes.values()):
            raise ValueError(f'has classes without {seeds} values')


@dataclass
class Cell:
    """The runs of an entry and a task.

    Attributes:
        entry (str): Label of the entry.
        task (str): ``'pre-training'`` or a task's name.
        state (str): ``'done'`` if all seeds are, ``'failed'`` if one is, else ``'not run'``.
        seeds (list[int]): Those that are done.
        n (int): Their number.
        metrics (dict[str, Figure | None]): By key; None if a seed measured no number.
        seconds (float, optional): Mean over the seeds.
        images_per_second (float, optional): Mean over the seeds.
        peak_memory_mb (float, optional): The largest, in MiB.
        memory_of (str, optional): ``'GPU'`` or ``'process'``.
        commands (list[str]): Of each seed.
        work_dirs (list[str]): Of each seed.
        hashes (list[str]): Of each seed.
        versions (dict[str, str]): Of the packages.
        machine (Machine): The runs were on.
        error (str, optional): The last lines of what failed.
        tested (ImageSet, optional): The test images; None if they are unknown or not the same for all seeds.
    """

    entry: str
    task: str
    state: Literal['done', 'failed', 'not run']
    seeds: list[int]
    n: int
    metrics: dict[str, Figure | None]
    seconds: float | None
    images_per_second: float | None
    peak_memory_mb: float | None
    memory_of: str | None
    commands: list[str]
    work_dirs: list[str]
    hashes: list[str]
    versions: dict[str, str]
    machine: Machine
    error: str | None
    tested: ImageSet | None = None

    def __post_init__(self) -> None:
        for name in ('seeds', 'commands', 'work_dirs', 'hashes'):
            if len(getattr(self, name)) != self.n:
                raise ValueError(f'has n = {self.n} and {len(getattr(self, name))} {name}')
        for key, figure in self.metrics.items():
            if figure and len(figure.values) != self.n:
                raise ValueError(f'has n = {self.n} and {len(figure.values)} values of {key}')


@dataclass
class TaskColumns:
    """A column group.

    Attributes:
        name (str): Unique in the suite.
        config (str): That was trained or tested.
        metrics (list[Metric]): That it measured.
        task (str, optional): Its name in the registry; None: a config of the suite's own.
        version (int): Of its protocol. Defaults to 1, as in files that name none.
    """

    name: str
    config: str
    metrics: list[Metric]
    task: str | None = None
    version: int = 1


@dataclass
class EntryRow:
    """An entry: its label, where its student comes from, and the tasks it cannot do."""

    label: str
    pretrain: str | None
    student: str | None
    without: list[str] = field(default_factory=list)


@dataclass
class Results:
    """``results.json``.

    Attributes:
        suite (str): Name of the config file.
        title (str): Heads the report.
        note (str): A paragraph for the report.
        command (str): That made it.
        tasks (list[TaskColumns]): Columns.
        entries (list[EntryRow]): Rows.
        cells (list[Cell]): Where they meet, and the pre-trainings.
        seconds (float): Of all runs together.
        versions (dict[str, str]): Of the packages; where runs differ, all with slashes between.
        machine (Machine): The runs were on.
        version (int): Of the file.
        backbone (str, optional): That took the place of the configs' own.
        costs (dict[str, Cost]): Of the entries' students, by label; empty if the suite does not ask for them.
        reference (str, optional): Label of the entry that the others are compared with; None: the first.
    """

    suite: str
    title: str
    note: str
    command: str
    tasks: list[TaskColumns]
    entries: list[EntryRow]
    cells: list[Cell]
    seconds: float
    versions: dict[str, str]
    machine: Machine
    version: int = 1
    backbone: str | None = None
    costs: dict[str, Cost] = field(default_factory=dict)
    reference: str | None = None

    def __post_init__(self) -> None:
        labels = [entry.label for entry in self.entries]
        for number, cell in enumerate(self.cells):
            if cell.entry not in labels:
                raise ValueError(f'has no entry {cell.entry!r}, of which cells[{number}] is')
        for label in self.costs:
            if label not in labels:
                raise ValueError(f'has no entry {label!r}, of which costs is')
