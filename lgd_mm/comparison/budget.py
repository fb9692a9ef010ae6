"""Which schedules fit a budget of time."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

PRETRAINING = 'pre-training'


class Part(NamedTuple):
    """Runs of one kind, which take the same time.

    Attributes:
        name (str): ``'pre-training'`` or a task: parts of a name have as many epochs.
        what (str): For the table.
        runs (int): For each seed.
        epoch (float): Seconds of a pass over the images.
        fixed (float): Seconds of a run beside them: it starts, tests and saves.
        floor (int): Epochs at least.
        full (int): Epochs of the schedule that nothing has shortened.
        steps (int): Of an epoch.
    """

    name: str
    what: str
    runs: int
    epoch: float
    fixed: float
    floor: int
    full: int
    steps: int

    def seconds(self, epochs: int) -> float:
        """Of one run."""
        return self.fixed + epochs * self.epoch


class Schedule(NamedTuple):
    """What was chosen.

    Attributes:
        seeds (int): How many.
        epochs (dict[str, int]): By the name of a part.
        seconds (float): That everything takes.
    """

    seeds: int
    epochs: dict[str, int]
    seconds: float


class Budget(NamedTuple):
    """What a time is spent on.

    Attributes:
        parts (Sequence[Part]): All runs of a seed.
        jobs (int): Runs at a time.
        report (float): Seconds of what comes after the runs.
    """

    parts: Sequence[Part]
    jobs: int
    report: float

    def seconds(self, epochs: Mapping[str, int], seeds: int) -> float:
        """Of everything; with several runs at a time, the longest may be the last to start.

        Args:
            epochs (Mapping[str, int]): By the name of a part.
            seeds (int): How many.
        """
        each = [part.seconds(epochs[part.name]) for part in self.parts if part.runs]
        work = seeds * sum(part.runs * part.seconds(epochs[part.name]) for part in self.parts)
        return self.report + work / self.jobs + (1 - 1 / self.jobs) * max(each, default=0)

    @property
    def floors(self) -> dict[str, int]:
        """The fewest epochs."""
        return self._scaled(0, 0)

    @property
    def full(self) -> dict[str, int]:
        """The epochs that nothing has shortened."""
        return self._scaled(1, 1)

    def choose(self, seconds: float, seeds: int) -> Schedule | None:
        """As many of the seeds as fit with the fewest epochs, then as many epochs as fit.

        Half of what the fewest epochs leave goes to the tasks and the rest to the pre-training; what one of them does
        not need, for its schedule is whole, goes to the other. All tasks are shortened by the same factor.

        Args:
            seconds (float): That there are.
            seeds (int): That are wanted.

        Returns:
            Schedule, optional: None if not even one seed fits.
        """
        least = self.floors
        fitting = next((n for n in range(seeds, 0, -1) if self.seconds(least, n) <= seconds), None)
        if fitting is None:
            return None

        def within(bound: float, training: float | None = None, tasks: float | None = None) -> float:
            """The largest factor, of the one that is not given, that stays within a bound."""
            def fits(factor: float) -> bool:
                epochs = self._scaled(factor if training is None else training, factor if tasks is None else tasks)
                return self.seconds(epochs, fitting) <= bound
            low, high = 0.0, 1.0
            if fits(1):
                return 1
            for _ in range(50):
                middle = (low + high) / 2
                low, high = (middle, high) if fits(middle) else (low, middle)
            return low

        begin = self.seconds(least, fitting)
        tasks = within(begin + (seconds - begin) / 2, training=0)
        training = within(seconds, tasks=tasks)
        epochs = self._scaled(training, within(seconds, training=training))
        return Schedule(fitting, epochs, self.seconds(epochs, fitting))

    def _scaled(self, training: float, tasks: float) -> dict[str, int]:
        epochs: dict[str, int] = {}
        for part in self.parts:
            factor = training if part.name == PRETRAINING else tasks
            floor = min(part.floor, part.full)
            epochs[part.name] = max(epochs.get(part.name, 0), floor, int(factor * part.full))
        return epochs
