"""A suite: which students (entries) are measured on which tasks, with which seeds."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lgd_mm.engine.settings import load_config
from lgd_mm.errors import UserError
from lgd_mm.io.options import parse_options
from lgd_mm.suite.schema import Metric

ROOT = Path(__file__).resolve().parents[2]
#: Name of the stage before the tasks; no task may have it.
PRETRAINING = 'pre-training'
#: In an option, the file of another entry's student.
PLACE_OF_STUDENT = r'\{student:([^}]*)\}'


@dataclass(frozen=True)
class Task:
    """What a student is measured on: an ordinary config.

    Attributes:
        name (str): Unique in the suite.
        config (Path, optional): Trained with ``--student``, or only tested. None: that of the pre-training, which is
            tested as it is, with ``of='pre-training'``.
        metrics (tuple[Metric, ...]): What is read from its log.
        test_only (bool): ``config`` takes the checkpoint of the pre-training itself, as zero-shot classification does.
        of (str, optional): Name of another task, whose trained network ``config`` tests: on corrupted images, say; or
            ``'pre-training'``.
        options (tuple[str, ...]): ``KEY=VALUE`` overrides.
        inputs (tuple[Path, ...]): Further files or folders that decide the outcome.
        data (Path, optional): Folder of a set of one's own, which ``config`` reads in the place of its own.
        task (str, optional): Its name in the registry, which says all that the suite does not.
        version (int): Of its protocol.
        test_images (int, optional): Images that it is measured on; another number is refused. None: any.
    """

    name: str
    config: Path | None
    metrics: tuple[Metric, ...]
    test_only: bool = False
    of: str | None = None
    options: tuple[str, ...] = ()
    inputs: tuple[Path, ...] = ()
    data: Path | None = None
    task: str | None = None
    version: int = 1
    test_images: int | None = None


@dataclass(frozen=True)
class Entry:
    """One row of the table: a student and where it comes from; with neither config nor file, random weights.

    Attributes:
        label (str): Unique in the suite.
        pretrain (Path, optional): Config whose run makes the student.
        student (Path, optional): A file instead: an exported student or any checkpoint with ``backbone.`` keys.
        options (tuple[str, ...]): ``KEY=VALUE`` overrides of ``pretrain``. ``{student:LABEL}`` stands for the file of
            another entry's student of the same seed, which is then made first.
        without (tuple[str, ...]): Tasks it cannot do.
        seeds (tuple[int, ...], optional): Fewer than the suite's.
        inputs (tuple[Path, ...]): Further files or folders that decide the outcome.
        backbone (str, optional): Of the networks of the tasks, in the place of their configs' own; ``pretrain`` says
            its own.
    """

    label: str
    pretrain: Path | None = None
    student: Path | None = None
    options: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    seeds: tuple[int, ...] | None = None
    inputs: tuple[Path, ...] = ()
    backbone: str | None = None

    @property
    def teachers(self) -> list[str]:
        """Labels of the entries whose students it needs."""
        return [label for option in self.options for label in re.findall(PLACE_OF_STUDENT, option)]


@dataclass(frozen=True)
class Suite:
    """Everything a suite config says.

    Attributes:
        name (str): Of the config file.
        title (str): Heads the report.
        note (str): A paragraph for the report.
        work_dir (Path): Folder of all runs.
        seeds (tuple[int, ...]): Each entry is made and measured once for each.
        entries (tuple[Entry, ...]): Rows.
        tasks (tuple[Task, ...]): Columns.
        shapes_world (Path, optional): Where the generated world is written before anything runs.
        shapes_kind (str): Which world that is. Defaults to ``'shapes'``.
        amp (bool): Pre-train with autocast where the hardware gains from it.
        backbone (str, optional): Takes the place of the configs' own: a name of ``lgd-mm list students``.
        cost (Mapping[str, Any], optional): What each student costs is measured: arguments of
            :func:`lgd_mm.costs.measure.measure_cost` (``size``, ``batch``, ``threads``).
        reference (str, optional): Label of the entry that reports compare the others with. Defaults to the first.
    """

    name: str
    title: str
    note: str
    work_dir: Path
    seeds: tuple[int, ...]
    entries: tuple[Entry, ...]
    tasks: tuple[Task, ...]
    shapes_world: Path | None = None
    shapes_kind: str = 'shapes'
    amp: bool = False
    backbone: str | None = None
    cost: Mapping[str, Any] | None = None
    reference: str | None = None


def slug(name: str) -> str:
    """A name as a folder: ``'Mask R-CNN'`` becomes ``'mask-r-cnn'``."""
    return re.sub(r'[^a-z0-9.]+', '-', name.lower()).strip('-')


def check_known(what: str, names: Iterable[Any], known: Sequence[Any]) -> None:
    """Refuse names that are none of the known.

    Raises:
        UserError: Names the first, and the known.
    """
    for name in names:
        if name not in known:
            raise UserError(f'{what} {name!r}; there are: {", ".join(map(str, known)) or "none"}')


def resolved(config: Path, options: Sequence[str]) -> Config:
    """A config with ``KEY=VALUE`` overrides, as ``--cfg-options`` reads them."""
    return load_config(str(ROOT / config), parse_options(options), None, launcher='none')
