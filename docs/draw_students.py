"""Draws what each student costs against what it is worth, and writes the table: ``docs/images/students.png`` and
``docs/results/students/README.md``.

Usage: ``python docs/draw_students.py RESULTS.json ...``, as ``make students`` does; of several files of a student, a
pre-training is taken from the last that has it. The time of an image is measured now, so let nothing else run.
"""

import json
import shutil
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure as Canvas
from mmengine.config import Config
from torch import nn

from lgd_mm.api.backbones import backbone_named
from lgd_mm.runs.environment import environment
from lgd_mm.students.backbone import build_backbone
from lgd_mm.suite.figures import columns, find_figure
from lgd_mm.suite.files import read_results
from lgd_mm.suite.schema import Figure, Results

HERE = Path(__file__).parent
FOLDER, PICTURE = HERE / 'results' / 'students', HERE / 'images' / 'students.png'
#: Pre-trainings in the order of the columns, and their colours.
LABELS = {'random weights': '#b9bcc1', 'mimicking': '#8fa3bf', 'LGD': '#4a6fa5', 'dense LGD': '#1a7f4b'}
METRICS = {'accuracy/top1': 'zero-shot', 'mIoU': 'mIoU'}
TASKS = {'accuracy/top1': 'zero-shot', 'mIoU': 'UPerNet'}
SIDE, ROUNDS, WARM_UP = 224, 15, 3
OWN = 'ResNet-18, quarter width'
#: Label and metric -> mean, standard deviation and values.
Figures = dict[tuple[str, str], Figure]


def main(files: list[str]) -> None:
    """Read, measure, write and draw."""
    students: dict[str, Figures] = {}
    networks: dict[str, nn.Module] = {}
    FOLDER.mkdir(exist_ok=True)
    for file in files:
        results = read_results(Path(file))
        name = (results.backbone or OWN).removeprefix('timm/')
        networks.setdefault(name, network_of(results))
        students.setdefault(name, {}).update(figures_of(results))
        if results.backbone:  # the others' results are committed elsewhere
            shutil.copy(file, FOLDER / f'{name}.json')
    costs = measured(networks)
    (FOLDER / 'costs.json').write_text(json.dumps(costs, indent=1) + '\n')
    (FOLDER / 'README.md').write_text(page(students, costs))
    draw(students, costs)
    print(FOLDER / 'README.md', PICTURE)


def figures_of(results: Results) -> Figures:
    """Those of the table."""
    return {(label, column.key): figure for column in columns(results) for label in LABELS
            if TASKS.get(column.key) == column.task and (figure := find_figure(results, label, column))}


def network_of(results: Results) -> nn.Module:
    """The student of a suite, with random weights: they change no time."""
    file = next(entry.pretrain for entry in results.entries if entry.pretrain)
    own = Config.fromfile(HERE.parent / file).model.backbone
    backbone = own if results.backbone is None else backbone_named(results.backbone)
    network = build_backbone(Config(dict(default_scope='mmpretrain', model=dict(backbone=backbone))))
    network.eval()
    return network


@torch.no_grad()
def measured(networks: dict[str, nn.Module]) -> dict[str, Any]:
    """Parameters, and the median time of an image on one thread: one pass of each network in turn."""
    torch.set_num_threads(1)
    image = torch.zeros(1, 3, SIDE, SIDE)
    times: dict[str, list[float]] = {name: [] for name in networks}
    for number in range(WARM_UP + ROUNDS):
        for name, network in networks.items():
            begin = time.perf_counter()
            network(image)
            if number >= WARM_UP:
                times[name].append(1000 * (time.perf_counter() - begin))
    students = {
        name: dict(parameters=sum(value.numel() for value in network.parameters()),
                   milliseconds=round(statistics.median(times[name]), 2))
        for name, network in networks.items()
    }
    return dict(machine=environment()['machine'], students=students)


def page(students: dict[str, Figures], costs: dict[str, Any]) -> str:
    """The table as a page."""
    places = [(label, key) for key in METRICS for label in LABELS]
    places.remove(('random weights', 'accuracy/top1'))
    heads = ['student', 'parameters', 'ms', *(f'{METRICS[key]}, {label}' for label, key in places)]
    lines = [
        '# Students', '',
        '`make students`: students on the generated world, in percent: mean ± standard deviation over n seeds, or the '
        f'figure of one. Time of an image of {SIDE} x {SIDE} on one thread ({costs["machine"]["processor"]}), PyTorch, '
        f'median of {ROUNDS} passes in turn.', '', '![mIoU against time](../../images/students.png)', '',
        f'| {" | ".join(heads)} |', '|---' * len(heads) + '|'
    ]
    for name, figures in students.items():
        cost = costs['students'][name]
        cells = [written(figures.get(place)) for place in places]
        cells = [name, f'{cost["parameters"] / 1e6:.2f} M', f'{cost["milliseconds"]:.1f}', *cells]
        lines.append(f'| {" | ".join(cells)} |')
    return '\n'.join(lines) + '\n'


def written(figure: Figure | None) -> str:
    """A cell of the table."""
    if figure is None:
        return '–'
    deviation = '' if figure.std is None else f' ± {figure.std:.1f} ({len(figure.values)})'
    return f'{figure.mean:.1f}{deviation}'


def draw(students: dict[str, Figures], costs: dict[str, Any]) -> None:
    """mIoU against milliseconds, a colour for each pre-training."""
    canvas = Canvas(figsize=(8, 4.5), layout='constrained')
    axes = canvas.subplots()
    for label, colour in LABELS.items():
        points = [(costs['students'][name]['milliseconds'], figure.mean, figure.std or 0)
                  for name, figures in students.items() if (figure := figures.get((label, 'mIoU')))]
        if points:
            times, means, deviations = zip(*points)
            axes.errorbar(times, means, yerr=deviations, fmt='o', color=colour, label=label, capsize=3)
    for name in students:
        milliseconds = costs['students'][name]['milliseconds']
        axes.axvline(milliseconds, color='#eeeeee', zorder=0)
        axes.annotate(name, (milliseconds, 0.02), rotation=90, xycoords=('data', 'axes fraction'), fontsize=8,
                      ha='right', va='bottom')
    axes.set(xscale='log', xlabel=f'ms for an image of {SIDE} x {SIDE}, one thread', ylabel='UPerNet, mIoU')
    axes.legend(frameon=False)
    axes.spines[['top', 'right']].set_visible(False)
    canvas.savefig(PICTURE, dpi=150)


if __name__ == '__main__':
    main(sys.argv[1:])
