"""From a suite to its runs, in the order they are started."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope

from lgd_mm.console.quiet import quiet_loading
from lgd_mm.errors import UserError
from lgd_mm.formats.ready_folder import ready_folder
from lgd_mm.io.options import written
from lgd_mm.own_data.config import use_own_data
from lgd_mm.runs.environment import fast_bf16
from lgd_mm.students.scratch import begin_at_random
from lgd_mm.suite.definition import PRETRAINING, Entry, Suite, Task, check_known, resolved, slug
from lgd_mm.suite.run import STUDENT, Run


def choose(suite: Suite, labels: Sequence[str] | None = None, names: Sequence[str] | None = None,
           seeds: Sequence[int] | None = None, processes: int = 1) -> list[Run]:
    """Every run of a suite, or of some entries, tasks and seeds; students that these learn from are made too.

    Args:
        suite (Suite): The suite.
        labels (Sequence[str], optional): Of entries. Defaults to None: all.
        names (Sequence[str], optional): Of tasks. Defaults to None: all.
        seeds (Sequence[int], optional): Defaults to None: all.
        processes (int): Of each run. The learning rate is scaled with the batch of several, if the config states which
            batch it is for. Defaults to 1.

    Returns:
        list[Run]: Seed by seed and entry by entry, each run behind those it needs.

    Raises:
        UserError: If the suite has no such entry, task or seed.
    """
    check_known(f'suite {suite.name} has no entry', labels or (), [entry.label for entry in suite.entries])
    check_known(f'suite {suite.name} has no task', names or (), [task.name for task in suite.tasks])
    check_known(f'suite {suite.name} has no seed', seeds or (), suite.seeds)
    chosen = {task.name: task for task in suite.tasks if not names or task.name in names}
    networks = {task.of for task in chosen.values()}
    tasks = [task for task in suite.tasks if task.name in chosen or task.name in networks]
    runs: dict[Path, Run] = {}
    for seed in seeds or suite.seeds:
        for entry in suite.entries:
            if (not labels or entry.label in labels) and seed in (entry.seeds or suite.seeds):
                for run in _entry_runs(suite, entry, tasks, seed):
                    runs.setdefault(run.work_dir, run)
    return [_shared(run, processes) for run in runs.values()] if processes > 1 else list(runs.values())


def _shared(run: Run, processes: int) -> Run:
    """The run by several processes, which make the batch as many times larger."""
    scaling = ('--auto-scale-lr', ) if run.checkpoint is None and _states_batch(run.config, run.options[1:]) else ()
    return replace(run, processes=processes, flags=(*run.flags, *scaling))


@functools.cache
def _states_batch(config: Path, options: tuple[str, ...]) -> bool:
    return bool((resolved(config, options).get('auto_scale_lr') or {}).get('base_batch_size'))


@functools.cache
def _names_weights(config: Path, options: tuple[str, ...]) -> bool:
    try:
        return bool(begin_at_random(resolved(config, options)))
    except UserError:  # its own run tells what is wrong with it
        return False


def _entry_runs(suite: Suite, entry: Entry, tasks: Sequence[Task], seed: int) -> list[Run]:
    """The pre-training of an entry, before it those of the students it learns from, and behind it its tasks."""
    runs = []
    for label in entry.teachers:
        teacher = next(other for other in suite.entries if other.label == label)
        runs += _entry_runs(suite, teacher, (), seed)
    if entry.pretrain:
        runs.append(_pretraining(suite, entry, seed))
    return runs + [_task_run(suite, entry, task, seed) for task in tasks if task.name not in entry.without]


def _pretraining(suite: Suite, entry: Entry, seed: int) -> Run:
    assert entry.pretrain is not None
    students = {label: _student(suite, label, seed) for label in entry.teachers}
    return Run(
        entry.label, PRETRAINING, seed, entry.pretrain, _folder(suite, entry.label, seed, PRETRAINING),
        options=(f'randomness.seed={seed}', *_options(entry, students)),
        flags=(*(('--backbone', suite.backbone) if suite.backbone else ()),
               *(('--amp', ) if suite.amp and fast_bf16() else ())),
        inputs=(*entry.inputs, *students.values()), needs=tuple(file.parent for file in students.values()))


def _options(entry: Entry, students: Mapping[str, Path]) -> list[str]:
    """Those of its pre-training, with the files of the students that it learns from."""
    options = []
    for option in entry.options:
        for label, file in students.items():
            option = option.replace(f'{{student:{label}}}', written(str(file)))
        options.append(option)
    return options


def _own_test(suite: Suite, entry: Entry, task: Task, seed: int) -> Run:
    """The test of the pre-training's own config."""
    run = _pretraining(suite, entry, seed)
    return replace(
        run, task=task.name, work_dir=_folder(suite, entry.label, seed, task.name),
        options=(*run.options, *task.options), flags=_swapped(suite, entry, test_only=True), checkpoint=run.work_dir,
        inputs=(*run.inputs, *task.inputs), metrics=tuple(metric.key for metric in task.metrics),
        needs=(run.work_dir, *run.needs))


def _task_run(suite: Suite, entry: Entry, task: Task, seed: int) -> Run:
    if task.of == PRETRAINING:
        return _own_test(suite, entry, task, seed)
    assert task.config is not None
    if task.of:
        network = _folder(suite, entry.label, seed, task.of)
        return Run(
            entry.label, task.name, seed, task.config, _folder(suite, entry.label, seed, task.name),
            options=(f'randomness.seed={seed}', *task.options), flags=_swapped(suite, entry, test_only=True),
            checkpoint=network, inputs=_inputs(task), data=task.data,
            metrics=tuple(metric.key for metric in task.metrics), needs=(network, ))
    made = _folder(suite, entry.label, seed, PRETRAINING) if entry.pretrain else None
    student = made / STUDENT if made else entry.student
    # A config may name weights: that of a run names the student it began with.
    random = student is None and not task.test_only and _names_weights(task.config, task.options)
    return Run(
        entry.label, task.name, seed, task.config, _folder(suite, entry.label, seed, task.name),
        options=(f'randomness.seed={seed}', *task.options),
        flags=(*_swapped(suite, entry, task.test_only), *(('--from-scratch', ) if random else ())),
        student=None if task.test_only else student,
        checkpoint=(made or entry.student) if task.test_only else None,
        inputs=_inputs(task), data=task.data, metrics=tuple(metric.key for metric in task.metrics),
        needs=(made, ) if made else ())


def _inputs(task: Task) -> tuple[Path, ...]:
    return (*task.inputs, *((task.data, ) if task.data else ()))


def _swapped(suite: Suite, entry: Entry, test_only: bool = False) -> tuple[str, ...]:
    """What puts the backbone of an entry, or else the suite's, into the config of a task; a checkpoint knows in which
    form it has it."""
    backbone = entry.backbone or suite.backbone
    return ('--backbone', 'checkpoint' if test_only else backbone) if backbone else ()


def _student(suite: Suite, label: str, seed: int) -> Path:
    return _folder(suite, label, seed, PRETRAINING) / STUDENT


def _folder(suite: Suite, label: str, seed: int, task: str) -> Path:
    return suite.work_dir / slug(label) / f'seed{seed}' / slug(task)


def iterations(run: Run) -> int | None:
    """Training steps of a run on one device.

    Args:
        run (Run): Any.

    Returns:
        int, optional: 0 if it only tests, None if its images are not there to be counted.
    """
    config = resolved(run.config, run.options)
    loop = config.get('train_cfg')
    if run.checkpoint is not None or not loop:
        return 0
    if 'max_iters' in loop:
        return loop.max_iters
    try:
        if run.data:
            with quiet_loading():
                use_own_data(config, ready_folder(run.data, config.get('default_scope')))
        return loop.max_epochs * _steps_per_epoch(config)
    except (OSError, ValueError, KeyError, UserError):
        return None


def _steps_per_epoch(config: Config) -> int:
    loader = config.train_dataloader
    with DefaultScope.overwrite_default_scope(config.get('default_scope')), quiet_loading():
        images = len(DATASETS.build(loader.dataset))
    if 'num_batch_per_epoch' in loader:
        images = min(images, loader.num_batch_per_epoch * loader.batch_size)
    return images // loader.batch_size if loader.get('drop_last') else -(-images // loader.batch_size)
