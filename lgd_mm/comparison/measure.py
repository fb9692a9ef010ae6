"""What every kind of run takes, by a few real steps of each."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from lgd_mm.comparison.budget import PRETRAINING, Budget, Part
from lgd_mm.comparison.configs import Configs, settled, steps
from lgd_mm.comparison.measured_suite import STEPS, forms, measured_label, measured_task, write_measured
from lgd_mm.errors import UserError
from lgd_mm.io.typed_json import is_number
from lgd_mm.runs.history import read_history
from lgd_mm.suite.config import read_suite
from lgd_mm.suite.definition import resolved
from lgd_mm.suite.launcher import Launcher
from lgd_mm.suite.plan import choose
from lgd_mm.suite.report import write_report
from lgd_mm.suite.run import Run
from lgd_mm.suite.runner import SuiteRunner
from lgd_mm.suite.schema import Record

#: First steps of a run, which take longer: caches are empty.
WARMING = 2
#: Images that a pre-training looks at once more at its end for its batch norms, and what each takes of a step's time.
PRECISE, PASS = 2048, 0.5
#: Steps, and passes over the images, below which nothing is trained.
LEAST_STEPS, LEAST_EPOCHS = 50, 1


class Cost(NamedTuple):
    """Seconds.

    Attributes:
        step (float): Of a training step.
        image (float): Of an image that is tested.
        fixed (float): Of all else in a run: it starts, saves and ends.
    """

    step: float
    image: float
    fixed: float


def measure(folder: Path, configs: Configs, without: Mapping[str, list[str]], sides: Mapping[str, int | None],
            launcher: Launcher, console: Console) -> Budget:
    """Run a few steps of every kind of run; what was measured before is not run again.

    Args:
        folder (Path): For the measuring.
        configs (Configs): Of the comparison.
        without (Mapping[str, list[str]]): Tasks that a student cannot do.
        sides (Mapping[str, int | None]): Longer side of the images of a task, in pixels; None: what fits.
        launcher (Launcher): Starts the runs.
        console (Console): Told about progress.

    Returns:
        Budget: The parts of the comparison for one seed.

    Raises:
        UserError: If one of the runs fails: so would the comparison.
    """
    suite = read_suite(str(write_measured(folder, configs, without, sides)))
    runner = SuiteRunner(suite, choose(suite), launcher, console, command='lgd-mm compare')
    results = runner.run()
    if runner.failures:
        run, reason = next(iter(runner.failures.items()))
        raise UserError(f'a few steps were to be measured, and {run.title} failed: {reason}')
    begin = time.monotonic()
    write_report(results, folder)
    drawn = (time.monotonic() - begin) / max(1, len(configs.request.students))
    costs = {(run.entry, run.task): cost(run, record) for run, record in runner.records.items()}
    rows = len(configs.request.methods) * len(configs.request.students)
    return Budget(parts(configs, costs, sides), launcher.jobs, drawn * rows)


def cost(run: Run, record: Record) -> Cost:
    """What a run of a few steps tells.

    Args:
        run (Run): The run.
        record (Record): Of it.
    """
    history = read_history(run.work_dir)
    times = [line['time'] for line in history.training if is_number(line.get('time'))]
    count = min(len(times), STEPS)
    step = 0.0
    if count > WARMING:  # each line has the mean of all before it
        step = max(0.0, (count * times[count - 1] - WARMING * times[WARMING - 1]) / (count - WARMING))
    elif times:
        step = times[-1]
    tests = [line['time'] for line in history.evaluations if is_number(line.get('time'))]
    if not tests:
        return Cost(step, 0.0, max(0.0, record.seconds - step * len(times)))
    loader = resolved(run.config, run.options).val_dataloader
    tested = tests[-1] * loader.get('num_batch_per_epoch', 1)
    return Cost(step, tests[-1] / loader.batch_size, max(0.0, record.seconds - step * len(times) - tested))


def parts(configs: Configs, costs: Mapping[tuple[str, str], Cost], sides: Mapping[str, int | None]) -> list[Part]:
    """The runs of one seed.

    Args:
        configs (Configs): Of the comparison.
        costs (Mapping[tuple[str, str], Cost]): By the label and the task of what was measured.
        sides (Mapping[str, int | None]): As of :func:`measure`.
    """
    found = []
    request = configs.request
    for student in request.students:
        for method, alike in forms(request.methods).items():
            cfg = configs.pretraining(method, student)
            each = costs[measured_label(method, student), PRETRAINING]
            batches, batch = steps(cfg, configs.images), cfg.train_dataloader.batch_size
            unseen = max(0, min(PRECISE, configs.images) // batch - STEPS)
            found.append(Part(
                PRETRAINING, f'{PRETRAINING}, {" and ".join(alike)}, {student}', len(alike), batches * each.step,
                each.fixed + PASS * unseen * each.step, floor(batches), settled(cfg, 'epochs'), batches))
        for task, data in configs.sets.items():
            place = measured_label('tasks', student), measured_task(task, sides)
            if place in costs:
                cfg = configs.task(task, sides.get(task))
                each, batches = costs[place], steps(cfg, data.trained)
                found.append(Part(task, f'{task}, {student}', len(request.methods), batches * each.step,
                                  each.fixed + data.test * each.image, floor(batches), settled(cfg, 'epochs'),
                                  batches))
    return found


def floor(batches: int) -> int:
    """Epochs at least: one pass, and 50 steps."""
    return max(LEAST_EPOCHS, -(-LEAST_STEPS // batches))
