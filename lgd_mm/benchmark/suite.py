"""A suite: which students (entries) are measured on which tasks, with which seeds."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lgd_mm.engine.settings import load_config
from lgd_mm.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
#: Name of the stage before the tasks; no task may have it.
PRETRAINING = 'pre-training'


@dataclass(frozen=True)
class Metric:
    """One column of the table.

    Attributes:
        key (str): As the evaluator logs it, such as ``'coco/bbox_mAP'``.
        title (str): As people say it, such as ``'box AP'``.
        scale (float): Brings it to percent.
        better (str): ``'higher'`` or ``'lower'``.
    """

    key: str
    title: str
    scale: float = 1
    better: str = 'higher'


@dataclass(frozen=True)
class Task:
    """What a student is measured on: an ordinary config.

    Attributes:
        name (str): Unique in the suite.
        config (Path): Trained with ``--student``, or only tested.
        metrics (tuple[Metric, ...]): What is read from its log.
        test_only (bool): ``config`` takes the checkpoint of the pre-training itself, as zero-shot classification does.
        options (tuple[str, ...]): ``KEY=VALUE`` overrides.
        inputs (tuple[Path, ...]): Further files that decide the outcome.
    """

    name: str
    config: Path
    metrics: tuple[Metric, ...]
    test_only: bool = False
    options: tuple[str, ...] = ()
    inputs: tuple[Path, ...] = ()


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
        inputs (tuple[Path, ...]): Further files that decide the outcome.
    """

    label: str
    pretrain: Path | None = None
    student: Path | None = None
    options: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    seeds: tuple[int, ...] | None = None
    inputs: tuple[Path, ...] = ()

    @property
    def teachers(self) -> list[str]:
        """Labels of the entries whose students it needs."""
        return [label for option in self.options for label in re.findall(r'\{student:([^}]*)\}', option)]


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
        amp (bool): Pre-train with autocast where the hardware gains from it.
    """

    name: str
    title: str
    note: str
    work_dir: Path
    seeds: tuple[int, ...]
    entries: tuple[Entry, ...]
    tasks: tuple[Task, ...]
    shapes_world: Path | None = None
    amp: bool = False


def read_suite(path: str, options: Mapping[str, Any] | None = None, work_dir: str | None = None) -> Suite:
    """Read and check a suite config, such as ``configs/shapes/suite.py``.

    Args:
        path (str): The config file. Its keys are the attributes of :class:`Suite`, of which ``entries`` and ``tasks``
            are lists of dicts; a metric is ``key: title`` or ``key: dict(title=..., scale=...)``.
        options (Mapping[str, Any], optional): Keys to overwrite.
        work_dir (str, optional): Goes before the config's own, which goes before ``work_dirs/NAME``.

    Returns:
        Suite: All files it names exist.

    Raises:
        UserError: If it is no suite, or a name or file in it is wrong.
    """
    cfg = load_config(path, options, work_dir, launcher='none')
    for key in ('entries', 'tasks'):
        if not cfg.get(key):
            raise UserError(f'{path} is no suite: it has no {key} (configs/shapes/suite.py shows how one looks)')
    tasks = tuple(_task(dict(task), f'{path}: tasks[{index}]') for index, task in enumerate(cfg.tasks))
    entries = tuple(_entry(dict(entry), f'{path}: entries[{index}]') for index, entry in enumerate(cfg.entries))
    seeds = cfg.get('seeds', [0])
    whole = isinstance(seeds, (list, tuple)) and all(isinstance(seed, int) for seed in seeds)
    if not whole or not seeds or len(set(seeds)) < len(seeds):
        raise UserError(f'{path}: seeds is {seeds}: it must be a list of different whole numbers')
    _check_names(path, 'entry', [entry.label for entry in entries])
    _check_names(path, 'task', [task.name for task in tasks] + [PRETRAINING])
    for entry in entries:
        check_known(f'{path}: entry {entry.label!r} is without', entry.without, [task.name for task in tasks])
        check_known(f'{path}: entry {entry.label!r} takes the student of', entry.teachers,
                    [other.label for other in entries if other is not entry and other.pretrain])
        check_known(f'{path}: entry {entry.label!r} has seeds', entry.seeds or (), seeds)
    world = cfg.get('shapes_world')
    return Suite(
        name=Path(path).stem, title=cfg.get('title', Path(path).stem), note=cfg.get('note', ''),
        work_dir=Path(cfg.work_dir), seeds=tuple(seeds), entries=entries, tasks=tasks,
        shapes_world=world and Path(world), amp=cfg.get('amp', False))


def check_known(what: str, names: Iterable[Any], known: Sequence[Any]) -> None:
    """Refuse names that are none of the known.

    Raises:
        UserError: Names the first, and the known.
    """
    for name in names:
        if name not in known:
            raise UserError(f'{what} {name!r}; there are: {", ".join(map(str, known)) or "none"}')


def slug(name: str) -> str:
    """A name as a folder: ``'Mask R-CNN'`` becomes ``'mask-r-cnn'``."""
    return re.sub(r'[^a-z0-9.]+', '-', name.lower()).strip('-')


def _task(task: dict, where: str) -> Task:
    _check_keys(task, Task, where, required=('name', 'config', 'metrics'))
    metrics = tuple(
        Metric(key, **(dict(title=about) if isinstance(about, str) else about))
        for key, about in task.pop('metrics').items())
    return Task(
        name=task['name'], config=_file(task['config'], f'{where}.config'), metrics=metrics,
        test_only=task.get('test_only', False), options=tuple(task.get('options', ())),
        inputs=tuple(map(Path, task.get('inputs', ()))))


def _entry(entry: dict, where: str) -> Entry:
    _check_keys(entry, Entry, where, required=('label', ))
    if entry.get('pretrain') and entry.get('student'):
        raise UserError(f'{where} has both pretrain and student: the student is made by one or read from the other')
    files = {key: _file(entry[key], f'{where}.{key}') for key in ('pretrain', 'student') if entry.get(key)}
    seeds = entry.get('seeds')
    return Entry(
        label=entry['label'], options=tuple(entry.get('options', ())), without=tuple(entry.get('without', ())),
        seeds=None if seeds is None else tuple(seeds), inputs=tuple(map(Path, entry.get('inputs', ()))), **files)


def _check_keys(node: dict, kind: type, where: str, required: Sequence[str]) -> None:
    known = [field.name for field in fields(kind)]
    check_known(f'{where} has the key', node, known)
    for key in required:
        if not node.get(key):
            raise UserError(f'{where} has no {key}')


def _file(name: str, where: str) -> Path:
    if not (ROOT / name).is_file():
        raise UserError(f'{where}: {name} does not exist')
    return Path(name)


def _check_names(path: str, kind: str, names: list[str]) -> None:
    """Each its own folder."""
    twice = [name for name, count in Counter(map(slug, names)).items() if count > 1]
    if twice:
        same = ' and '.join(repr(name) for name in names if slug(name) == twice[0])
        raise UserError(f'{path}: two {kind} names share the folder {twice[0]!r} ({same}): give each its own')


def resolved(config: Path, options: Sequence[str]) -> Config:
    """A config with ``KEY=VALUE`` overrides, as ``--cfg-options`` reads them."""
    from argparse import ArgumentParser

    from mmengine.config import DictAction
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='*', action=DictAction, default={})
    parsed = parser.parse_args(['--cfg-options', *options]).cfg_options
    return load_config(str(ROOT / config), parsed, None, launcher='none')
