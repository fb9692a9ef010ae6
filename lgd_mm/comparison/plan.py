"""From a request to its suite: sizes, schedules and seeds that fit the budget, and the table that tells of them."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from rich.console import Console, Group
from rich.table import Table

from lgd_mm.api.small_sets import MULTIPLE
from lgd_mm.comparison.budget import Budget, Schedule
from lgd_mm.comparison.configs import Configs, settled
from lgd_mm.comparison.measure import LEAST_EPOCHS, LEAST_STEPS, measure
from lgd_mm.comparison.request import seconds
from lgd_mm.comparison.suites import tasks_without, write_suite
from lgd_mm.errors import UserError
from lgd_mm.suite.launcher import Launcher
from lgd_mm.suite.table import format_seconds

#: Share of a budget that is planned with; the rest is in hand, for machines are not always as fast.
PLANNED = 0.85
#: Shares of the fitting size of images that are tried, and the smallest side that is chosen, in pixels.
SHARES, SMALLEST = (1.0, 0.75, 0.5, 0.25), 160
#: Schedules are shortened to so many times the shortest before images are made smaller.
ENOUGH = 4
#: How many times longer the budget is of which is told as well.
LONGER = 4


class Plan(NamedTuple):
    """What was chosen.

    Attributes:
        budget (Budget): What everything takes.
        schedule (Schedule): Seeds and epochs.
        sides (dict[str, int | None]): Longer side of the images of each task, in pixels.
    """

    budget: Budget
    schedule: Schedule
    sides: dict[str, int | None]


def make_plan(out: Path, configs: Configs, launcher: Launcher, console: Console, begin: float) -> float:
    """Measure, choose, tell, and write the suite.

    In this order things are given up: epochs, down to four times the shortest schedule; the size of the images of
    detection and segmentation, down to a quarter; epochs, down to one pass and 50 steps; seeds.

    Args:
        out (Path): Folder of the comparison.
        configs (Configs): Of the comparison.
        launcher (Launcher): Starts what is measured.
        console (Console): Where it is told.
        begin (float): When the command began, by ``time.monotonic()``.

    Returns:
        float: Seconds that the suite is expected to take.

    Raises:
        UserError: If the budget is too small; says what would fit.
    """
    request = configs.request
    without = tasks_without(configs)
    given = None if request.budget is None else seconds(request.budget)
    console.print('measuring a few steps of every kind of run; what was measured before is kept', highlight=False)

    def left() -> float:
        return float('inf') if given is None else PLANNED * given - (time.monotonic() - begin)

    def measured(share: float) -> tuple[Budget, dict[str, int | None]]:
        sides = {task: _side(configs, task, share) for task in configs.sets}
        return measure(out / 'measure', configs, without, sides, launcher, console), sides

    shares = SHARES if given is not None and request.image_size is None and _sized(configs) else (1.0, )
    budget, sides = measured(shares[-1])
    # The smallest are measured first: they take least of the budget, and tell about the larger ones.
    for share in shares[:-1]:
        larger = {task: _side(configs, task, share) for task in configs.sets}
        if larger != sides and _predicted(budget, sides, larger, request.seeds) <= left():
            budget, sides = measured(share)
            break
    schedule = budget.choose(left(), request.seeds)
    if schedule is None:
        assert request.budget is not None
        least = budget.floors
        shortest = Schedule(1, least, budget.seconds(least, 1))
        console.print(plan_tables(Plan(budget, shortest, sides), given, request.seeds, 'The shortest that is trained'))
        raise UserError(too_small(budget, request.budget, len(request.methods), len(request.students),
                                  time.monotonic() - begin)
                        + f'. If the machine was busy meanwhile, remove {out / "measure"}, and it is measured again')
    plan = Plan(budget, schedule, sides)
    console.print(plan_tables(plan, given, request.seeds))
    for line in reasons(plan, configs, request.seeds):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    write_suite(out, configs, without, sides, schedule.epochs, schedule.seeds, note(plan, given))
    return schedule.seconds


def too_small(budget: Budget, given: str, methods: int, students: int, spent: float) -> str:
    """What would fit, where nothing does.

    Args:
        budget (Budget): What everything takes.
        given (str): The budget.
        methods (int): How many.
        students (int): How many.
        spent (float): Seconds for measuring.
    """
    least = budget.seconds(budget.floors, 1)
    needed = format_seconds((least + spent) / PLANNED)
    rows = methods * students
    each = (least - budget.report) / rows
    fitting = int(max(0.0, PLANNED * seconds(given) - spent - budget.report) / each) if each else 0
    fewer = (f', or {fitting} of the {rows} rows (--methods, --students)' if 0 < fitting < rows else
             ', fewer methods or students, or fewer images')
    return (f'budget is {given}, and the shortest that is trained (one seed, {LEAST_EPOCHS} pass and {LEAST_STEPS} '
            f'steps of everything) takes {format_seconds(least)} beside the {format_seconds(spent)} of measuring: give '
            f'--budget {_rounded((least + spent) / PLANNED)} or more ({needed}){fewer}')


def plan_tables(plan: Plan, given: float | None, wanted: int, title: str = 'What it takes') -> Group:
    """What each part takes as chosen; and with a longer budget, and with the whole schedule.

    Args:
        plan (Plan): What was chosen.
        given (float, optional): Seconds of the budget.
        wanted (int): Seeds that were asked for.
        title (str): Of the first table. Defaults to ``'What it takes'``.
    """
    budget, schedule, _ = plan
    chosen = Table('part', 'runs', 'epochs', 'steps', 's a step', 's beside', 'takes', title=title)
    for part in budget.parts:
        runs, epochs = schedule.seeds * part.runs, schedule.epochs[part.name]
        chosen.add_row(part.what, str(runs), str(epochs), f'{epochs * part.steps:,}',
                       f'{part.epoch / part.steps:.2f}', f'{part.fixed:.0f}',
                       format_seconds(runs * part.seconds(epochs)))
    chosen.add_section()
    chosen.add_row('all, with report', '', '', '', '', '', format_seconds(schedule.seconds))

    whole = Schedule(wanted, budget.full, budget.seconds(budget.full, wanted))
    longer = budget.choose(PLANNED * LONGER * given, wanted) if given is not None else None
    others = {f'in {LONGER} x the budget': longer, 'whole schedule': whole}
    more = Table('', title='With more time')
    for heading, other in others.items():
        if other:
            more.add_column(heading)
    shown = [other for other in others.values() if other]
    for name in schedule.epochs:
        more.add_row(f'epochs of {name}', *(str(other.epochs[name]) for other in shown))
    more.add_row('seeds', *(str(other.seeds) for other in shown))
    more.add_row('takes', *(format_seconds(other.seconds) for other in shown))
    return Group(chosen, more)


def reasons(plan: Plan, configs: Configs, wanted: int) -> list[str]:
    """Sentences on what was chosen.

    Args:
        plan (Plan): What was chosen.
        configs (Configs): Of the comparison.
        wanted (int): Seeds that were asked for.
    """
    _, schedule, sides = plan
    told = []
    for task, side in sides.items():
        if side:
            about = configs.task(task).auto.image_size
            smaller = '' if side == about['value'] or configs.request.image_size else (
                f', and it is smaller to fit the budget ({about["value"]} would fit the set)')
            told.append(f'{task}: images of {side} px on their longer side{smaller}')
    if schedule.seeds < wanted:
        told.append(f'{schedule.seeds} of {wanted} seeds, to fit the budget: '
                    + ('with one, no figure is marked' if schedule.seeds == 1 else 'fewer than were asked for'))
    return told


def note(plan: Plan, given: float | None) -> str:
    """A paragraph for the report."""
    epochs = ', '.join(f'{name} {count}' for name, count in plan.schedule.epochs.items())
    fitting = '' if given is None else f', chosen to fit {format_seconds(given)} by the measured time of a step'
    return (f'Epochs: {epochs}{fitting}. All pre-trainings are on the same unlabelled images, with the same teacher, '
            'names and schedule.')


def _sized(configs: Configs) -> bool:
    return any(task != 'classification' for task in configs.sets)


def _side(configs: Configs, task: str, share: float) -> int | None:
    """Pixels; None: nothing is said about them."""
    if task == 'classification':
        return None
    if configs.request.image_size is not None:
        return configs.request.image_size
    fitting = settled(configs.task(task), 'image_size')
    if fitting is None:
        return None
    side: int = max(min(SMALLEST, fitting), MULTIPLE * round(share * fitting / MULTIPLE))
    return side


def _predicted(budget: Budget, sides: Mapping[str, int | None], larger: Mapping[str, int | None], seeds: int) -> float:
    """Seconds with other sides, of schedules that are worth larger images: time grows with the area."""
    parts = []
    for part in budget.parts:
        factor = ((larger.get(part.name) or 1) / (sides.get(part.name) or 1))**2
        parts.append(part._replace(epoch=part.epoch * factor, fixed=part.fixed * factor))
    grown = budget._replace(parts=parts)
    epochs = {name: max(few, min(ENOUGH * few, grown.full[name])) for name, few in grown.floors.items()}
    return grown.seconds(epochs, seeds)


def _rounded(time_needed: float) -> str:
    """As ``--budget`` takes it, rounded up."""
    minutes = int(-(-time_needed // 60))
    return f'{minutes}m' if minutes < 120 else f'{-(-minutes // 60)}h'
