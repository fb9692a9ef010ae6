"""What a comparison was asked for, and what of it differs from what lies in a folder."""

import json
import math
import os
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from lgd_mm.api.methods import COMPARED
from lgd_mm.console.words import there_are
from lgd_mm.errors import UserError
from lgd_mm.io.files import write_text
from lgd_mm.io.texts import read_json
from lgd_mm.io.typed_json import from_json

#: In the folder of a comparison: what was asked for, and the suite that it became.
RECORD, SUITE = 'comparison.json', 'suite.yaml'
SECONDS = dict(h=3600, m=60, s=1)
MOST_SEEDS = 100
#: Tasks, in the order of the columns.
TASKS = ('detection', 'segmentation', 'classification')


@dataclass(frozen=True)
class Request:
    """The arguments of :func:`lgd_mm.compare`, as they are kept.

    Attributes:
        images (str): Folder of unlabelled images.
        classes (str | list[str]): Names.
        detection (str, optional): A set of one's own.
        segmentation (str, optional): Likewise.
        classification (str, optional): Likewise.
        methods (list[str]): Of :data:`lgd_mm.api.methods.COMPARED`.
        students (list[str]): Names.
        teacher (str): Its name.
        seeds (int): How many.
        budget (str, optional): Time for everything, such as ``'2h'``.
        image_size (int, optional): Longer side of the images of detection and segmentation, in pixels.
    """

    images: str
    classes: str | list[str]
    detection: str | None
    segmentation: str | None
    classification: str | None
    methods: list[str]
    students: list[str]
    teacher: str
    seeds: int
    budget: str | None
    image_size: int | None

    @property
    def data(self) -> dict[str, str]:
        """The sets, by task."""
        return {task: folder for task in TASKS if (folder := getattr(self, task)) is not None}

    def check(self) -> None:
        """Raises:
            UserError: If there is nothing to compare, or a name or number cannot be.
        """
        if not self.data:
            raise UserError('nothing is to be measured: give --detection, --segmentation or --classification, a set '
                            'of your own each')
        for method in self.methods:
            if method not in COMPARED:
                raise UserError(f'no method is called {method!r}; {there_are(method, COMPARED)}')
        for name, given in dict(methods=self.methods, students=self.students).items():
            twice = [each for each in given if given.count(each) > 1]
            if twice or not given:
                raise UserError(f'{name} has {twice[0]!r} twice: leave one out' if twice else f'{name} is empty')
        if not 1 <= self.seeds <= MOST_SEEDS:
            raise UserError(f'seeds is {self.seeds}: give how many runs each figure is of, 1 to {MOST_SEEDS}')
        if self.budget is not None:
            seconds(self.budget)


@dataclass(frozen=True)
class State:
    """What is kept of a comparison in its folder.

    Attributes:
        request (Request): What was asked for.
        planned (bool): Whether there is a suite of it.
        begun (bool): Whether that suite was ever started.
        predicted (float): Seconds that it was expected to take; 0 if nobody has measured.
    """

    request: Request
    planned: bool = False
    begun: bool = False
    predicted: float = 0.0


def seconds(budget: str) -> float:
    """A time as people write it: ``'2h'``, ``'30m'``, ``'1h30m'``.

    Args:
        budget (str): The text.

    Returns:
        float: Seconds.

    Raises:
        UserError: If it is none.
    """
    found = re.findall(r'(\d+(?:\.\d+)?)([hms])', budget)
    total = sum(float(number) * SECONDS[unit] for number, unit in found)
    if ''.join(number + unit for number, unit in found) != budget or not 0 < total < math.inf:
        raise UserError(f'budget is {budget!r}: give a time such as 2h, 30m or 1h30m')
    return total


def read_state(out: str | Path) -> State | None:
    """What lies in a folder.

    Args:
        out (str | Path): It may not exist.

    Returns:
        State, optional: None without a comparison.

    Raises:
        UserError: If it cannot be read.
    """
    file = Path(out) / RECORD
    if not os.path.lexists(file):
        return None
    return from_json(State, read_json(file), f'{file}', 'delete it to plan the comparison anew; what is finished is '
                     'not run again')


def write_state(out: str | Path, state: State) -> None:
    """Write what is kept of a comparison, whole or not at all.

    Args:
        out (str | Path): Its folder.
        state (State): What is to be kept.
    """
    write_text(Path(out) / RECORD, json.dumps(asdict(state), indent=1))


def check_same(out: str | Path, before: Request, now: Request) -> None:
    """See that a comparison goes on as what it was begun as.

    Args:
        out (str | Path): Its folder.
        before (Request): What it was begun as.
        now (Request): What is asked for.

    Raises:
        UserError: Says what differs.
    """
    other = [(field.name, getattr(before, field.name), getattr(now, field.name)) for field in fields(Request)
             if getattr(before, field.name) != getattr(now, field.name)]
    if other:
        told = '; '.join(f'{name.replace("_", "-")} {_words(here)}, there {_words(there)}'
                         for name, there, here in other)
        raise UserError(f'{out} holds a comparison of other settings (here {told}): give another --out, or `lgd-mm '
                        f'compare --out {out}` alone, which goes on with what is there')


def _words(value: object) -> str:
    if isinstance(value, list):
        return ' '.join(map(str, value[:8])) + (' ...' if len(value) > 8 else '')
    return 'none' if value is None else str(value)
