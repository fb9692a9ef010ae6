"""The tasks that come with the package: ``tasks/FAMILY.yaml`` holds those on the same data, read as data alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import yaml

from lgd_mm.console.words import did_you_mean
from lgd_mm.errors import UserError
from lgd_mm.io.files import read_plain
from lgd_mm.io.typed_json import from_json
from lgd_mm.io.yaml_values import count_values, without_merges
from lgd_mm.suite.schema import Metric

FOLDER = Path(__file__).with_name('tasks')
#: Bytes of a file.
LIMIT = 1 << 16


@dataclass
class TaskCard:
    """What a file says of a task.

    Attributes:
        version (int): Of the protocol; figures of two versions do not compare.
        title (str): The column of a table.
        config (str): From the root of the repository.
        metrics (list[Metric]): What is read from its log.
        test_images (int): Images that it is measured on.
        card (str): What it measures and how, in two or three sentences.
        test_only (bool): Whether it tests the checkpoint of the pre-training itself.
        of (str, optional): Name of another task, whose trained network it tests.
        inputs (list[str]): Further files that decide the outcome.
    """

    version: int
    title: str
    config: str
    metrics: list[Metric]
    test_images: int
    card: str
    test_only: bool = False
    of: str | None = None
    inputs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ('version', 'test_images'):
            if getattr(self, name) < 1:
                raise ValueError(f'has a {name} of {getattr(self, name)}, and it must be at least 1')


@dataclass
class Family:
    """The content of a file: tasks on the same data.

    Attributes:
        source (str): Where the data come from.
        data (list[str]): Files and folders that must be there, as the configs expect them.
        tasks (dict[str, TaskCard]): By the part of their name behind the slash.
    """

    source: str
    data: list[str]
    tasks: dict[str, TaskCard]


class RegisteredTask(NamedTuple):
    """A task and what it is measured on."""

    name: str
    card: TaskCard
    family: Family


def read_family(file: Path) -> Family:
    """Read a file of tasks.

    Args:
        file (Path): YAML.

    Returns:
        Family: Its content.

    Raises:
        UserError: If it cannot be read, or has a key or a value that no such file has.
    """
    try:
        content = yaml.safe_load(without_merges(read_plain(file, LIMIT)))
        count_values(content)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        reason = getattr(error, 'strerror', None) or ' '.join(str(error).split()) or 'it is nested too deeply'
        raise UserError(f'{file} cannot be read ({reason}): put it right or remove it') from error
    return from_json(Family, content, f'{file}', 'put it right or remove it', exact=True)


@cache
def registered_tasks(folder: Path = FOLDER) -> Mapping[str, RegisteredTask]:
    """All tasks, by their names: ``FAMILY/TASK``.

    Args:
        folder (Path): Of the files. Defaults to the package's own.

    Returns:
        Mapping[str, RegisteredTask]: Sorted by their families.

    Raises:
        UserError: If a file cannot be read.
    """
    families = {file.stem: read_family(file) for file in sorted(folder.glob('*.yaml'))}
    return MappingProxyType({f'{family}/{name}': RegisteredTask(f'{family}/{name}', card, content)
                             for family, content in families.items() for name, card in content.tasks.items()})


def registered_task(name: str, where: str, version: int | None = None) -> RegisteredTask:
    """A task by its name.

    Args:
        name (str): ``FAMILY/TASK``.
        where (str): Who asks for it, for messages.
        version (int, optional): Refuse any other. Defaults to None.

    Returns:
        RegisteredTask: The task.

    Raises:
        UserError: If there is none, or not in this version.
    """
    known = registered_tasks()
    if name not in known:
        near = did_you_mean(name, known)
        raise UserError(f'{where}: there is no task {name!r}: {near}`lgd-mm list tasks` prints all')
    has = known[name].card.version
    if version is not None and version != has:
        cure = 'update lgd_mm' if version > has else 'install the lgd_mm that has it'
        raise UserError(f'{where} asks for version {version} of task {name}, and this lgd_mm has version {has}: '
                        f'{cure}, or take version out')
    return known[name]
