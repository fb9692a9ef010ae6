"""Reading and checking a suite config."""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from lgd_mm.costs.request import BATCH, SIZE, check_request
from lgd_mm.datasets.shapes.worlds import WORLDS
from lgd_mm.engine.settings import load_config
from lgd_mm.errors import UserError
from lgd_mm.io.options import parse_options
from lgd_mm.suite.config_tasks import with_registry
from lgd_mm.suite.definition import (
    PLACE_OF_STUDENT,
    PRETRAINING,
    ROOT,
    Entry,
    Suite,
    Task,
    check_known,
    slug,
)
from lgd_mm.suite.same_students import check_students
from lgd_mm.suite.schema import Metric
from lgd_mm.suite.yaml_suite import ENDINGS, load_yaml

#: Characters of the name of a folder that every file system takes.
LONGEST = 200


def _is_list(value: Any, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(part, kind) for part in value)


#: What a value must be, by its key: whether it is, and in words.
VALUES: dict[tuple[str, ...], tuple[Callable[[Any], bool], str]] = {
    ('title', 'note', 'work_dir', 'shapes_world', 'shapes_kind', 'backbone', 'label', 'name', 'config', 'pretrain',
     'student', 'key', 'reference', 'task', 'of', 'data'):
     (lambda value: isinstance(value, str), 'a string'),
    ('options', 'inputs', 'without'): (lambda value: _is_list(value, str), 'a list of strings'),
    ('seeds', ): (lambda value: _is_list(value, int) and 0 < len(value) == len(set(value)),
                  'a list of different whole numbers'),
    ('entries', ): (lambda value: _is_list(value, dict), 'a list of dicts'),
    ('tasks', ): (lambda value: _is_list(value, (dict, str)), 'a list of names of tasks (lgd-mm list tasks) or dicts'),
    ('version', 'test_images'): (lambda value: type(value) is int and value > 0, 'a whole number above 0'),
    ('cost', ): (lambda value: isinstance(value, dict), 'a dict of size, batch and threads'),
    ('metrics', ): (lambda value: isinstance(value, dict), 'a dict of keys and titles'),
    ('amp', 'test_only'): (lambda value: isinstance(value, bool), 'True or False'),
    ('scale', ): (lambda value: isinstance(value, (int, float)) and value > 0, 'a number above 0'),
    ('better', ): (lambda value: value in ('higher', 'lower'), "'higher' or 'lower'"),
}


def read_suite(path: str, options: Mapping[str, Any] | None = None, work_dir: str | None = None,
               backbone: str | None = None) -> Suite:
    """Read and check a suite config, such as ``configs/shapes/suite.py``.

    Args:
        path (str): The config file, in Python or YAML. Its keys are the attributes of :class:`Suite`, of which
            ``entries`` and ``tasks`` are lists of dicts; a task may be a name of the registry, and a metric is
            ``key: title`` or ``key: dict(title=..., scale=...)``.
        options (Mapping[str, Any], optional): Keys to overwrite.
        work_dir (str, optional): Goes before the config's own, which goes before ``work_dirs/NAME``.
        backbone (str, optional): Goes before the config's own, and adds its name to title and default folder.

    Returns:
        Suite: All files it names exist.

    Raises:
        UserError: If it is no suite, or a name or file in it is wrong.
    """
    if path.endswith(ENDINGS):
        cfg = load_yaml(path, options, work_dir)
    else:
        cfg = load_config(path, options, work_dir, launcher='none')
    for key in ('entries', 'tasks'):
        if not cfg.get(key):
            raise UserError(f'{path} is no suite: it has no {key} (configs/shapes/suite.py shows how one looks)')
    _check_values(cfg, Suite, f'{path}: ')
    tasks = tuple(_task(dict(task=task) if isinstance(task, str) else dict(task), f'{path}: tasks[{index}]')
                  for index, task in enumerate(cfg.tasks))
    tasks = tuple(_with_network(task, tasks, path) for task in tasks)
    entries = tuple(_without_networks(_entry(dict(entry), f'{path}: entries[{index}]'), tasks)
                    for index, entry in enumerate(cfg.entries))
    seeds = cfg.get('seeds') or [0]
    _check_names(path, 'entry', [entry.label for entry in entries])
    _check_names(path, 'task', [task.name for task in tasks] + [PRETRAINING])
    check_students(path, entries)
    check_known(f'{path}: reference is', filter(None, [cfg.get('reference')]), [entry.label for entry in entries])
    for entry in entries:
        check_known(f'{path}: entry {entry.label!r} is without', entry.without, [task.name for task in tasks])
        check_known(f'{path}: entry {entry.label!r} takes the student of', entry.teachers,
                    [other.label for other in entries if other is not entry and other.pretrain])
        check_known(f'{path}: entry {entry.label!r} has seeds', entry.seeds or (), seeds)
        for task in tasks:
            network = entry.pretrain or (entry.student if task.config else None) or task.of not in (None, PRETRAINING)
            if task.test_only and not (network or task.name in entry.without):
                raise UserError(f'{path}: entry {entry.label!r} has neither pretrain nor student, and task '
                                f'{task.name!r} only tests: give it one, or without=[{task.name!r}]')
    try:
        TopologicalSorter({entry.label: entry.teachers for entry in entries}).prepare()
    except CycleError as error:
        raise UserError(f'{path}: students are made from each other ({" from ".join(error.args[1])}): take '
                        '{student:...} out of the options of one') from error
    _check_cost(path, cfg.get('cost') or {})
    world, kind = cfg.get('shapes_world'), cfg.get('shapes_kind') or Suite.shapes_kind
    check_known(f'{path}: shapes_kind is', [kind], list(WORLDS))
    title, folder = cfg.get('title') or Path(path).stem, cfg.work_dir
    if backbone:
        title = f'{title}: {backbone}'
        folder = work_dir or f'{folder}_{slug(backbone)}'
    return Suite(
        name=Path(path).stem, title=title, note=cfg.get('note') or '', work_dir=Path(folder), seeds=tuple(seeds),
        entries=entries, tasks=tasks, shapes_world=world and Path(world), shapes_kind=kind, amp=bool(cfg.get('amp')),
        backbone=backbone or cfg.get('backbone'), reference=cfg.get('reference'),
        cost=dict(cfg.cost) if cfg.get('cost') is not None else None)


def _check_cost(path: str, cost: Mapping[str, Any]) -> None:
    """Numbers that can be measured with, on this machine."""
    check_known(f'{path}: cost has the key', cost, ('size', 'batch', 'threads'))
    given: dict[str, Any] = dict(size=SIZE, batch=BATCH, threads=(1, )) | dict(cost)
    if not all(type(given[key]) is int for key in ('size', 'batch')) or not _is_list(given['threads'], int):
        raise UserError(f'{path}: cost is {dict(cost)!r}: size and batch must be whole numbers, threads a list of some')
    try:
        check_request(**given)
    except UserError as error:
        raise UserError(f'{path}: cost.{error}') from error


def _task(given: dict[str, Any], where: str) -> Task:
    _check(given, Task, where)
    task = with_registry(given, where)
    own = task.get('of') == PRETRAINING
    if own and task.get('config'):
        raise UserError(f"{where} has both config and of='{PRETRAINING}', which tests with the config of the "
                        'pre-training: take one of them out')
    _check(task, Task, where, required=('name', 'metrics') if own else ('name', 'config', 'metrics'))
    return Task(
        name=task['name'], config=None if own else _file(task['config'], f'{where}.config'),
        metrics=tuple(_metric(key, about, f'{where}.metrics[{key!r}]') for key, about in task['metrics'].items()),
        test_only=bool(task.get('test_only')), options=_options(task, where), inputs=_inputs(task),
        data=_folder(task.get('data'), f'{where}.data'), of=task.get('of'), task=task.get('task'),
        version=task.get('version') or 1, test_images=task.get('test_images'))


def _with_network(task: Task, tasks: Sequence[Task], path: str) -> Task:
    """With the name of the task whose network it tests, which may be given as the registry has it."""
    if task.of is None:
        return task
    if task.of == PRETRAINING:
        return replace(task, test_only=True)
    trained = [other for other in tasks if not (other.test_only or other.of)]
    names = [name for other in trained for name in (other.name, other.task) if name is not None]
    check_known(f'{path}: task {task.name!r} tests the network of', [task.of], list(dict.fromkeys(names)))
    found = [other.name for other in trained if other.name == task.of] or [
        other.name for other in trained if other.task == task.of]
    if len(found) > 1:
        raise UserError(f'{path}: task {task.name!r} tests the network of {task.of!r}, which {" and ".join(found)} '
                        'are: say the task as a dict with config, metrics and of, the name of one of them')
    return replace(task, of=found[0], test_only=True)


def _without_networks(entry: Entry, tasks: Sequence[Task]) -> Entry:
    """What tests the network of a task that an entry cannot do, it cannot do either."""
    missing = tuple(task.name for task in tasks if task.of in entry.without and task.name not in entry.without)
    return replace(entry, without=(*entry.without, *missing))


def _metric(key: str, about: Any, where: str) -> Metric:
    if not isinstance(about, (str, dict)):
        raise UserError(f'{where} is {about!r}: it must be a title, or dict(title=..., scale=..., better=...)')
    metric = dict(scale=1, better='higher') | (dict(title=about) if isinstance(about, str) else about) | dict(key=key)
    _check(metric, Metric, where, required=('title', ))
    return Metric(**metric)


def _entry(entry: dict[str, Any], where: str) -> Entry:
    _check(entry, Entry, where, required=('label', ))
    if entry.get('pretrain') and entry.get('student'):
        raise UserError(f'{where} has both pretrain and student: the student is made by one or read from the other')
    files = {key: _file(entry[key], f'{where}.{key}') for key in ('pretrain', 'student') if entry.get(key)}
    return Entry(
        label=entry['label'], options=_options(entry, where), without=tuple(entry.get('without') or ()),
        seeds=tuple(entry['seeds']) if entry.get('seeds') else None, inputs=_inputs(entry),
        backbone=entry.get('backbone'), **files)


def _options(node: dict[str, Any], where: str) -> tuple[str, ...]:
    options = tuple(node.get('options') or ())
    for option in options:
        try:
            parse_options([re.sub(PLACE_OF_STUDENT, 'FILE', option)])
        except UserError as error:
            raise UserError(f'{where}.options: {error}') from error
    return options


def _inputs(node: dict[str, Any]) -> tuple[Path, ...]:
    return tuple(map(Path, node.get('inputs') or ()))


def _check(node: dict[str, Any], kind: type, where: str, required: Sequence[str] = ()) -> None:
    """Keys and values of a part of the config."""
    check_known(f'{where} has the key', node, [field.name for field in fields(kind)])
    _check_values(node, kind, f'{where}.')
    for key in required:
        if not node.get(key):
            raise UserError(f'{where} has no {key}')


def _check_values(node: Mapping[str, Any], kind: type, where: str) -> None:
    for key in (field.name for field in fields(kind)):
        value = node.get(key)
        fits, meaning = next((about for keys, about in VALUES.items() if key in keys), (None, ''))
        if fits and value is not None and not fits(value):
            raise UserError(f'{where}{key} is {value!r}: it must be {meaning}')


def _file(name: str, where: str) -> Path:
    if not (ROOT / name).is_file():
        raise UserError(f'{where}: {name} does not exist')
    return Path(name)


def _folder(name: str | None, where: str) -> Path | None:
    if name is not None and not (ROOT / name).is_dir():
        raise UserError(f'{where}: {name} is no folder: give one as in docs/own_data.md')
    return None if name is None else Path(name)


def _check_names(path: str, kind: str, names: list[str]) -> None:
    """Each its own folder."""
    for name in names:
        if not slug(name).strip('.'):
            raise UserError(f'{path}: the {kind} {name!r} gives its folder no name: use a letter of a to z or a digit')
        if len(slug(name)) > LONGEST:
            raise UserError(f'{path}: the {kind} {name[:40]!r}... is too long for the name of its folder: use at most '
                            f'{LONGEST} characters')
    twice = [name for name, count in Counter(map(slug, names)).items() if count > 1]
    if twice:
        same = ' and '.join(repr(name) for name in names if slug(name) == twice[0])
        raise UserError(f'{path}: two {kind} names share the folder {twice[0]!r} ({same}): give each its own')
