"""Whether the generated world puts pre-trainings in the order that real images do: frozen students on COCO's objects.

    python benchmarks/small_world.py --coco data/coco --students \\
        LGD=work_dirs/suite/lgd/seed{0,1,2}/pre-training/student.safetensors SEED=...

A label with several files has several seeds, in the order of its figures in the results. Random weights are added.
"""

import argparse
import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from coco_objects import read_split, read_world
from frozen_students import PerImage, frozen, random_student, tell_objects, tell_positions
from rank_agreement import Draws, agreement, differences, draw
from rich.console import Console
from rich.table import Table

from lgd_mm.console.progress import track
from lgd_mm.errors import UserError, reported
from lgd_mm.runs.environment import environment
from lgd_mm.students.read import StudentFile, read_student_file
from lgd_mm.suite.figures import columns, find_figure
from lgd_mm.suite.files import read_results

#: What no training has seen, as the results call it.
RANDOM = 'random weights'
#: Tasks of the generated world that are compared; frozen features are measured here, as on COCO.
FINE_TUNED = ('Mask R-CNN', 'UPerNet')
#: By label, seed and task.
Measured = Mapping[str, Sequence[Mapping[str, PerImage]]]


def generated_figures(folders: Sequence[Path], sizes: Mapping[str, int]) -> dict[str, dict[str, list[float]]]:
    """The figures of each seed, of the columns that all students have, each student from the first folder with it.

    Args:
        folders (Sequence[Path]): With ``results.json``.
        sizes (Mapping[str, int]): The number of seeds of each label.

    Returns:
        dict[str, dict[str, list[float]]]: By column and label.

    Raises:
        UserError: If no column has all students, or one has another number of seeds.
    """
    found: dict[str, dict[str, list[float]]] = {}
    for results in (read_results(folder / 'results.json') for folder in folders):
        for column in columns(results):
            for label in sizes if column.task in FINE_TUNED else ():
                figure = find_figure(results, label, column)
                if figure:
                    found.setdefault(f'{column.task}: {column.title}', {}).setdefault(label, figure.values)
    found = {title: figures for title, figures in found.items() if figures.keys() == sizes.keys()}
    if not found:
        raise UserError(f'--results: no measure has all of {", ".join(sizes)}: give folders whose results.json name '
                        'them alike')
    for title, figures in found.items():
        for label, size in sizes.items():
            if len(figures[label]) != size:
                raise UserError(f'{label} has {size} students and {len(figures[label])} figures of {title}: give a '
                                'file for each seed of the results')
    return found


def with_random(students: Mapping[str, Sequence[Path]], seeds: Sequence[int]) -> dict[str, list[StudentFile]]:
    """Read the students, and add random weights of the first one's backbone."""
    files = {label: [read_student_file(path) for path in paths] for label, paths in students.items()}
    like = next(iter(files.values()))[0]
    return {RANDOM: [random_student(like, seed) for seed in seeds], **files}


def measure(files: Mapping[str, Sequence[StudentFile]], coco: Path, world: Path,
            out: Path) -> tuple[Measured, Measured]:
    """Measure each student on the objects of the generated world, and on those of COCO."""
    shapes = read_world(world, 'probe_shapes', 'labelled'), read_world(world, 'zero_shot_shapes', 'zero_shot')
    (train, names), (test, _) = (read_split(coco, split, out) for split in ('train', 'val'))
    todo = [(label, file) for label, each in files.items() for file in each]
    generated, real = ({label: [] for label in files} for _ in range(2))  # type: tuple[dict[str, list], ...]
    for label, file in track(todo, 'students', len(todo)):
        student = frozen(file)
        told = tell_objects(student, *shapes, int(shapes[0].labels.max()) + 1)
        generated[label].append({f'frozen: {name}': told[name] for name in ('k-NN', 'probe')})
        told = tell_objects(student, train.objects, test.objects, len(names))
        real[label].append({**{f'objects: {name}': result for name, result in told.items()},
                            'positions: mIoU': tell_positions(student, train, test, 1 + len(names))})
    return generated, real


def values(measured: Measured) -> dict[str, dict[str, list[float]]]:
    """Of all images, by task and label."""
    tasks = next(iter(measured.values()))[0]
    return {task: {label: [result[task].value for result in results] for label, results in measured.items()}
            for task in tasks}


def compare(generated: Mapping[str, Mapping[str, Sequence[float]]], real: Measured, count: int) -> dict[str, Any]:
    """All figures, and the agreement of each measure of the one world with each of the other.

    Args:
        generated (Mapping[str, Mapping[str, Sequence[float]]]): Figures of seeds by measure and label.
        real (Measured): Of the same students.
        count (int): Draws of the bootstrap.

    Returns:
        dict[str, Any]: For a JSON file.
    """
    labels, figures = list(real), {**generated, **values(real)}
    means = {name: [statistics.mean(each[label]) for label in labels] for name, each in figures.items()}
    intervals, apart, widths, rows = {}, {}, {}, []
    for title in generated:
        for task in values(real):
            draws = draw([generated[title][label] for label in labels],
                         [[result[task] for result in real[label]] for label in labels], count)
            for name, drawn in zip((title, task), draws):
                intervals[name] = dict(zip(labels, np.percentile(drawn, (2.5, 97.5), axis=1).T.tolist()))
                apart[name], widths[name] = differences(drawn)
            for without in (None, RANDOM):
                kept = [index for index, label in enumerate(labels) if label != without]
                found = agreement(*([means[name][index] for index in kept] for name in (title, task)),
                                  Draws(*(drawn[kept] for drawn in draws)))
                rows.append(dict(generated=title, real=task, n=len(kept), **found._asdict()))
    return dict(figures=figures, intervals=intervals, pairs=len(labels) * (len(labels) - 1) // 2, told_apart=apart,
                half_widths=widths, agreement=rows)


def show(report: Mapping[str, Any]) -> None:
    """Print the tables: rows of the means, and of the agreements."""
    console = Console(width=160)
    labels = next(iter(report['figures'].values()))
    table = Table('measure', *(f'{label}, n = {len(each)}' for label, each in labels.items()),
                  f'told apart, of {report["pairs"]}')
    for name, figures in report['figures'].items():
        cells = []
        for label in labels:
            low, high = report['intervals'][name][label]
            cells.append(f'{statistics.mean(figures[label]):.1f} ({low:.1f} to {high:.1f})')
        table.add_row(name, *cells, str(report['told_apart'][name]))
    console.print(table)
    table = Table('generated world', 'real images', 'n', 'tau-b', '95 % interval', 'exact p')
    for row in report['agreement']:
        table.add_row(row['generated'], row['real'], str(row['n']), f'{row["tau"]:.2f}',
                      f'{row["low"]:.2f} to {row["high"]:.2f}', f'{row["p"]:.3f}')
    console.print(table)


def main() -> None:
    """Print the tables, and write ``agreement.json``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--coco', type=Path, required=True, help='folder of COCO 2017, or of a part of it')
    parser.add_argument('--students', nargs='+', required=True, metavar='LABEL=FILE', help='labels as in the results')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2], help='of random weights (default: 0 1 2)')
    parser.add_argument('--results', type=Path, nargs='+', default=[Path('docs/results/suite')],
                        help='folders with results.json (default: docs/results/suite)')
    parser.add_argument('--world', type=Path, default='work_dirs/quickstart/data', help='default: %(default)s')
    parser.add_argument('--draws', type=int, default=2000, help='of the bootstrap (default: %(default)s)')
    parser.add_argument('--out', type=Path, default='work_dirs/small_world', help='default: %(default)s')
    given = parser.parse_args()
    students: dict[str, list[Path]] = {}
    for entry in given.students:
        label, _, path = entry.partition('=')
        if not path:
            raise UserError(f'--students {entry}: give LABEL=FILE')
        students.setdefault(label, []).append(Path(path))
    if len(students) < 2:
        raise UserError('--students: give two labels at least, as there is no order of one')
    sizes = {RANDOM: len(given.seeds), **{label: len(paths) for label, paths in students.items()}}
    generated = generated_figures(given.results, sizes)
    again, real = measure(with_random(students, given.seeds), given.coco, given.world, given.out)
    report = dict(**environment(), draws=given.draws, **compare({**generated, **values(again)}, real, given.draws))
    (given.out / 'agreement.json').write_text(json.dumps(report, indent=1))
    show(report)


if __name__ == '__main__':
    torch.set_num_threads(1)
    with reported():
        main()
