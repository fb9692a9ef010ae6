"""The suite of a comparison: configs beside a YAML file that may be edited."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lgd_mm.api.backbones import backbone_named
from lgd_mm.api.methods import COMPARED
from lgd_mm.api.values import AUTO
from lgd_mm.comparison.budget import PRETRAINING
from lgd_mm.comparison.configs import METRICS, Configs, config_folder, file_name
from lgd_mm.comparison.request import SUITE
from lgd_mm.console.rank_zero import print_rank0
from lgd_mm.errors import UserError
from lgd_mm.io.files import write_text
from lgd_mm.safety.config_text import write_config
from lgd_mm.students.swap import use_backbone
from lgd_mm.suite.definition import slug

#: The student that the ready configs are of.
OWN = 'resnet18'
HEAD = """\
# A suite of lgd-mm compare: edit it, and `lgd-mm compare --out FOLDER` runs what has changed (docs/suites.md has the
# keys). Paths are from this file's folder; what was settled in a config has its reason there, in `auto`.
"""


def label(method: str, student: str, students: Sequence[str]) -> str:
    """Of a row."""
    title = COMPARED[method].title
    return title if len(students) == 1 else f'{title}, {student}'


def tasks_without(configs: Configs) -> dict[str, list[str]]:
    """Tasks that each student cannot do, said once.

    Args:
        configs (Configs): Of the comparison.

    Returns:
        dict[str, list[str]]: By student.
    """
    found: dict[str, list[str]] = {}
    for student in configs.request.students:
        for task in configs.sets:
            cfg = configs.task(task)
            try:
                use_backbone(cfg, backbone_named(student))
            except UserError as reason:
                print_rank0(f'{student} goes without {task}: {reason}')
                found.setdefault(student, []).append(task)
    return found


def write_suite(folder: Path, configs: Configs, without: Mapping[str, list[str]], sides: Mapping[str, int | None],
                epochs: Mapping[str, int], seeds: int, note: str) -> Path:
    """Write the suite of a comparison.

    Args:
        folder (Path): Of the comparison.
        configs (Configs): Makes its configs.
        without (Mapping[str, list[str]]): Tasks that a student cannot do.
        sides (Mapping[str, int | None]): Longer side of the images of a task, in pixels; None: what fits.
        epochs (Mapping[str, int]): Of the pre-training and of each task; a name that is missing has what it would have.
        seeds (int): How many.
        note (str): For the report.

    Returns:
        Path: ``suite.yaml``.
    """
    request, place = configs.request, config_folder(folder)
    entries = []
    for student in request.students:
        for method in sorted(request.methods, key=lambda each: COMPARED[each].recipe is not None):  # random first
            entry: dict[str, Any] = dict(label=label(method, student, request.students))
            if COMPARED[method].recipe:
                name = file_name(method, student)
                write_config(configs.pretraining(method, student, epochs.get(PRETRAINING, AUTO)), place / name)
                entry |= dict(pretrain=f'{place.name}/{name}', inputs=[request.images])
            entries.append(of_student(entry, student, without))
    tasks = [add_task(configs, place, task, sides.get(task), epochs.get(task, AUTO)) for task in configs.sets]
    names = [COMPARED[method].title for method in request.methods]
    title = f'{", ".join(names)} on {", ".join(Path(data).name for data in request.data.values())}'
    content: dict[str, Any] = dict(
        title=title, note=note, work_dir='.', seeds=list(range(seeds)), entries=entries, tasks=tasks)
    if len(request.students) > 1:
        content['cost'] = dict(size=224)
    return write_yaml(folder, content)


def of_student(entry: dict[str, Any], student: str, without: Mapping[str, list[str]]) -> dict[str, Any]:
    """An entry with the backbone of a student, and without the tasks that it cannot do."""
    if student != OWN:
        entry['backbone'] = student
    if without.get(student):
        entry['without'] = [*without[student]]
    return entry


def add_task(configs: Configs, place: Path, name: str, side: int | None, epochs: int | str,
             title: str | None = None) -> dict[str, Any]:
    """Write the config of a task, and name it as a suite does."""
    file = f'{slug(title or name)}.py'
    write_config(configs.task(name, side, epochs), place / file)
    return dict(name=title or name, config=f'{place.name}/{file}', data=configs.request.data[name],
                metrics=METRICS[name])


def write_yaml(folder: Path, content: dict[str, Any]) -> Path:
    """Write a suite whole or not at all."""
    file = folder / SUITE
    write_text(file, HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110))
    return file
