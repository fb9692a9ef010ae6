"""The suite whose runs are a few steps of every kind of run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lgd_mm.api.methods import COMPARED
from lgd_mm.api.values import AUTO
from lgd_mm.comparison.configs import Configs, config_folder, file_name, steps
from lgd_mm.comparison.suites import add_task, of_student, write_yaml
from lgd_mm.safety.config_text import write_config

#: Steps that are measured of a pre-training and of a task, and images that are tested.
STEPS, TASK_STEPS, TESTED = 10, 8, 16


def forms(request_methods: Sequence[str]) -> dict[str, list[str]]:
    """Methods whose pre-trainings take the same time, by one of them: teacher and student are all there is to count."""
    trained = [method for method in request_methods if COMPARED[method].recipe]
    found: dict[str, list[str]] = {}
    for method in trained:
        first = next((known for known in found if COMPARED[known].recipe == COMPARED[method].recipe), method)
        found.setdefault(first, []).append(method)
    return found


def write_measured(folder: Path, configs: Configs, without: Mapping[str, list[str]],
                   sides: Mapping[str, int | None]) -> Path:
    """Write the suite.

    Args:
        folder (Path): For the measuring.
        configs (Configs): Makes the configs.
        without (Mapping[str, list[str]]): Tasks that a student cannot do.
        sides (Mapping[str, int | None]): As of :func:`lgd_mm.comparison.suites.write_suite`.

    Returns:
        Path: ``suite.yaml``.
    """
    request, place = configs.request, config_folder(folder)
    entries = []
    for student in request.students:
        for method in forms(request.methods):
            name, cfg = file_name(method, student), configs.pretraining(method, student)
            write_config(cfg, place / name)
            entries.append(dict(
                label=measured_label(method, student), pretrain=f'{place.name}/{name}', inputs=[request.images],
                without=[measured_task(task, sides) for task in configs.sets],
                options=_short(STEPS, steps(cfg, configs.images), cfg.train_dataloader.batch_size, configs.images)))
        cannot = {student: [measured_task(task, sides) for task in without.get(student, ())]}
        entries.append(of_student(dict(label=measured_label('tasks', student)), student, cannot))
    tasks = []
    for name, data in configs.sets.items():
        task = add_task(configs, place, name, sides.get(name), AUTO, measured_task(name, sides))
        cfg = configs.task(name, sides.get(name))
        if 'max_iters' in cfg.train_cfg:
            options = [f'train_cfg.max_iters={TASK_STEPS}', f'train_cfg.val_interval={TASK_STEPS}', *_short()]
        else:
            options = _short(TASK_STEPS, steps(cfg, data.trained), cfg.train_dataloader.batch_size, data.trained)
            options.append(options[0].replace('max_epochs', 'val_interval'))
        batch = cfg.val_dataloader.batch_size
        if data.test >= batch:  # or else there is but one, and it is not full
            options.append(f'val_dataloader.num_batch_per_epoch={min(-(-TESTED // batch), data.test // batch)}')
        tasks.append({**task, 'options': options})
    return write_yaml(folder, dict(title='A few steps of every kind of run', work_dir='.', seeds=[0], entries=entries,
                                   tasks=tasks))


def measured_label(method: str, student: str) -> str:
    """Of a row of the measuring."""
    return f'{method}, {student}'


def measured_task(name: str, sides: Mapping[str, int | None]) -> str:
    """Of a column of the measuring: what was measured with other sizes stays beside it."""
    return f'{name}, {sides[name]} px' if sides.get(name) else name


def _short(wanted: int = 0, batches: int = 0, batch: int = 0, images: int = 0) -> list[str]:
    """Options that end a run after some steps, of several passes over a set that has fewer."""
    if not wanted:
        return ['default_hooks.logger.interval=1']
    options = [f'train_cfg.max_epochs={max(1, -(-wanted // batches))}', *_short()]
    if batches > wanted and images >= wanted * batch:
        options.append(f'train_dataloader.num_batch_per_epoch={wanted}')
    return options
