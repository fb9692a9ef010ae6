"""Runs a suite: finished runs are skipped, a failed one is reported, the others go on."""

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from lgd_mm.console.progress import Heartbeat
from lgd_mm.datasets.shapes import write_world
from lgd_mm.errors import UserError
from lgd_mm.io.lock import alone
from lgd_mm.suite.costs import earlier_costs, measure_costs
from lgd_mm.suite.definition import Suite
from lgd_mm.suite.disk_space import check_disk_space
from lgd_mm.suite.files import write
from lgd_mm.suite.images import with_images
from lgd_mm.suite.launcher import Launcher
from lgd_mm.suite.plan import choose, iterations
from lgd_mm.suite.progress import Progress
from lgd_mm.suite.results import check_replaceable, collect
from lgd_mm.suite.run import Run
from lgd_mm.suite.schema import Record, Results
from lgd_mm.suite.task_data import check_task_data

#: What may be wrong with a single run: its set-up, its folder, or a value in its config.
OF_ONE_RUN = (UserError, OSError, ValueError)
#: In the folder of a suite: while one is at work there, and what it found.
LOCK, RESULTS = '.suite.lock', 'results.json'
NO_DATA = 'unknown: no data here'


class SuiteRunner:
    """Brings every run of a plan to its end, several at a time, and keeps ``results.json`` up to date.

    Args:
        suite (Suite): The suite.
        runs (Sequence[Run]): Planned; each behind those it needs.
        launcher (Launcher): Starts them.
        console (Console): Told about progress.
        command (str): What the user typed, for the results.
    """

    def __init__(self, suite: Suite, runs: Sequence[Run], launcher: Launcher, console: Console, command: str) -> None:
        self.suite = suite
        self.runs = list(runs)
        self.launcher = launcher
        self.console = console
        self.command = command
        self.records: dict[Run, Record] = {}
        self.failures: dict[Run, str] = {}
        self._others: dict[Run, Record] = {}
        self._shares: dict[str, float] = {}
        self._heartbeat = Heartbeat(self._where, self._say_where)

    def dry_run(self) -> Table:
        """What would run: each run with its state and its number of training iterations; nothing is written.

        Returns:
            Table: For a rich console.
        """
        table = Table('entry', 'task', 'seed', 'state', 'iterations', title=Text(f'Plan of {self.suite.title}'))
        counts: dict[tuple[Any, ...], int | None] = {}
        total, unknown = 0, ''
        for run in self.runs:
            same = run.config, run.options[1:]  # the seed comes first
            try:
                state = NO_DATA if run.missing_input() else 'done' if run.record() else 'to do'
                if same not in counts:
                    counts[same] = iterations(run)
            except OF_ONE_RUN as error:
                state = _sentence(error)
            count = counts.get(same)
            total += count or 0
            shown = 'unknown' if count is None else 'test only' if run.checkpoint else f'{count:,}'
            unknown = ' and those that are unknown' if count is None else unknown
            table.add_row(*map(escape, (run.entry, run.task, str(run.seed), state, shown)))
        table.caption = f'{len(self.runs)} runs, {total:,} iterations{unknown}'
        return table

    def run(self) -> Results:
        """Run what is not done.

        Returns:
            Results: The content of ``results.json``, written to the suite's folder after each run.

        Raises:
            UserError: If another runner works in the folder, or an input is missing.
        """
        folder = self.suite.work_dir
        with alone(folder / LOCK, f'is running a benchmark in {folder}: wait for it, or give another folder with '
                   '--work-dir'):
            check_replaceable(folder / RESULTS, self.suite.name)
            known = earlier_costs(folder / RESULTS)
            if self.suite.shapes_world:
                write_world(self.suite.shapes_world, kind=self.suite.shapes_kind)
            for missing in filter(None, map(Run.missing_input, self.runs)):
                raise UserError(f'{missing}, one of the inputs in suite {self.suite.name}, does not exist: put it '
                                'there, or take it out of inputs')
            to_do = list(filter(self._to_do, self.runs))
            self._check_tasks({run.task for run in to_do})
            check_disk_space(self.suite, to_do)
            self._others = self._find_others()
            self._run_all()
            self._others = self._find_others()  # some may have been made from what is new now
            results = self._save()
            if self.suite.cost is not None:
                labels = [entry.label for entry in results.entries]
                results.costs = measure_costs(self.suite, labels, known, lambda line: self._say(escape(line)))
                write(folder / RESULTS, results)
            return results

    @staticmethod
    def _to_do(run: Run) -> bool:
        try:
            return run.record() is None
        except OF_ONE_RUN:
            return False

    def _check_tasks(self, names: Collection[str]) -> None:
        """Before hours of work; what is measured elsewhere has its data there."""
        for task in self.suite.tasks if self.launcher.partition is None else ():
            if task.name in names:
                check_task_data(task)

    def _find_others(self) -> dict[Run, Record]:
        """What is finished of the suite's other runs: a part of a suite adds to the results of the rest."""
        found = {}
        for run in choose(self.suite, processes=self.launcher.gpus):
            with suppress(*OF_ONE_RUN):
                if run not in self.runs and (record := run.record()) is not None:
                    found[run] = with_images(record, run.work_dir)
        return found

    def _run_all(self) -> None:
        """Start runs as places get free and what they need is there."""
        waiting: list[Run] = list(self.runs)
        going: dict[Future[Record], Run] = {}
        with self._heartbeat, self._bars() as bars, ThreadPoolExecutor(self.launcher.jobs) as pool:
            try:
                while waiting or going:
                    for run in self._startable(waiting)[:self.launcher.jobs - len(going)]:
                        waiting.remove(run)
                        if self._settle(run, run.record):
                            continue
                        if broken := [need for need in run.needs if need in self._folders(self.failures)]:
                            self._fail(run, f'not started: {broken[0]} failed')
                        else:
                            going[pool.submit(self._execute, run, bars)] = run
                    if len(going) < self.launcher.jobs and self._startable(waiting):
                        continue  # what was finished before has taken no place, and others may have needed it
                    for future in wait(going, return_when=FIRST_COMPLETED).done if going else ():
                        self._settle(going.pop(future), future.result)
            except BaseException:
                self.launcher.stop()
                raise

    def _startable(self, waiting: Sequence[Run]) -> list[Run]:
        """Runs whose needs are finished or have failed."""
        settled = self._folders(self.records) | self._folders(self.failures)
        return [run for run in waiting if settled.issuperset(run.needs)]

    def _settle(self, run: Run, outcome: Callable[[], Record | None]) -> bool:
        """Whether a run has come to an end; what is wrong with one does not concern the others."""
        try:
            record = outcome()
        except OF_ONE_RUN as error:
            self._fail(run, _sentence(error))
            return True
        if record is not None:
            self._finish(run, with_images(record, run.work_dir))
        return record is not None

    @staticmethod
    def _folders(runs: Iterable[Run]) -> set[Path]:
        return {run.work_dir for run in runs}

    def _execute(self, run: Run, bars: Bars) -> Record:
        """Run under a progress bar; without a terminal, a line for each tenth, and whenever there is none for long."""
        title = escape(run.title)
        bar = bars.add_task(title, total=1.0, loss='starting')
        shown = -1

        def on_progress(progress: Progress) -> None:
            nonlocal shown
            self._shares[title] = progress.done
            loss = '' if progress.loss is None else f'loss {progress.loss:.3f}'
            bars.update(bar, completed=progress.done, loss=loss)
            if not self.console.is_terminal and int(progress.done * 10) > shown:
                shown = int(progress.done * 10)
                self._say(f'{title}: {progress.done:4.0%}  {loss}')

        self._shares[title] = 0
        try:
            return run.execute(self.launcher, on_progress)
        finally:
            del self._shares[title]
            bars.remove_task(bar)

    def _where(self) -> str:
        return '; '.join(f'{title}: {share:4.0%}' for title, share in list(self._shares.items()))

    def _say_where(self, line: str) -> None:
        if line and not self.console.is_terminal:
            self._say(line)

    def _finish(self, run: Run, record: Record) -> None:
        self.records[run] = record
        measured = {key: record.metrics[key] for key in run.metrics}
        figures = ', '.join(f'{key} is no finite number' if value is None else f'{key} {value:.4g}'
                            for key, value in measured.items())
        seconds = f'{record.seconds:.0f} s'
        self._say(f'[green]done[/green] {self._count()} {escape(run.title)}: {escape(figures)}  ({seconds})')
        self._save()

    def _fail(self, run: Run, reason: str) -> None:
        self.failures[run] = reason
        self._say(f'[red]failed[/red] {self._count()} {escape(run.title)}: {escape(reason)}')
        self._save()

    def _count(self) -> str:
        return escape(f'[{len(self.records) + len(self.failures)}/{len(self.runs)}]')

    def _save(self) -> Results:
        runs = [*self.runs, *self._others]
        results = collect(self.suite, runs, {**self._others, **self.records}, self.failures, self.command)
        write(self.suite.work_dir / RESULTS, results)
        return results

    def _say(self, line: str) -> None:
        self._heartbeat.spoken()
        self.console.print(line, highlight=False, soft_wrap=True)

    def _bars(self) -> Bars:
        return Bars(
            TextColumn('{task.description}'), BarColumn(), TextColumn('{task.percentage:3.0f}%'), TimeElapsedColumn(),
            TextColumn('left'), TimeRemainingColumn(), TextColumn('{task.fields[loss]}'), console=self.console,
            disable=not self.console.is_terminal)


def _sentence(error: Exception) -> str:
    return str(error) if isinstance(error, UserError) else f'{type(error).__name__}: {error}'
