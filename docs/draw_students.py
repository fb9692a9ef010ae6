"""Draws what each student costs against what it is worth, and writes the table: ``docs/images/students.png`` and
``docs/results/students/README.md``.

Usage: ``python docs/draw_students.py RESULTS.json ...``, as ``make students`` does; of several files of a student, a
pre-training is taken from the last that has it. What a student costs is taken from the first that has measured it
(``cost`` of the suite's config); where none has, it is measured now, so let nothing else run.
"""

import shutil
import sys
from pathlib import Path

from matplotlib.figure import Figure as Canvas
from mmengine.config import Config

from lgd_mm.api.backbones import backbone_named
from lgd_mm.costs.measure import measure_cost
from lgd_mm.costs.report import Cost, Timing
from lgd_mm.costs.table import cost_notes
from lgd_mm.suite.figures import columns, find_figure
from lgd_mm.suite.files import read_results
from lgd_mm.suite.schema import Figure, Results

HERE = Path(__file__).parent
FOLDER, PICTURE = HERE / 'results' / 'students', HERE / 'images' / 'students.png'
#: Pre-trainings in the order of the columns, and their colours.
LABELS = {'random weights': '#b9bcc1', 'mimicking': '#8fa3bf', 'LGD': '#4a6fa5', 'dense LGD': '#1a7f4b'}
METRICS = {'accuracy/top1': 'zero-shot', 'mIoU': 'mIoU'}
TASKS = {'accuracy/top1': 'zero-shot', 'mIoU': 'UPerNet'}
SIDE = 224
OWN = 'ResNet-18, quarter width'
#: Label and metric -> mean, standard deviation and values.
Figures = dict[tuple[str, str], Figure]


def main(files: list[str]) -> None:
    """Read, measure, write and draw."""
    students: dict[str, Figures] = {}
    costs: dict[str, Cost] = {}
    last: dict[str, Results] = {}
    FOLDER.mkdir(exist_ok=True)
    for file in files:
        results = read_results(Path(file))
        name = (results.backbone or OWN).removeprefix('timm/')
        if results.costs:
            costs.setdefault(name, cost_of(results))
        last[name] = results
        students.setdefault(name, {}).update(figures_of(results))
        if results.backbone:  # the others' results are committed elsewhere
            shutil.copy(file, FOLDER / f'{name}.json')
    costs = {name: costs.get(name) or cost_of(results) for name, results in last.items()}
    (FOLDER / 'README.md').write_text(page(students, costs))
    draw(students, costs)
    print(FOLDER / 'README.md', PICTURE)


def figures_of(results: Results) -> Figures:
    """Those of the table."""
    return {(label, column.key): figure for column in columns(results) for label in LABELS
            if TASKS.get(column.key) == column.task and (figure := find_figure(results, label, column))}


def cost_of(results: Results) -> Cost:
    """What the student of a suite costs; measured now if the suite did not ask for it."""
    if results.costs:
        return next(iter(results.costs.values()))
    file = next(entry.pretrain for entry in results.entries if entry.pretrain)
    own = Config.fromfile(HERE.parent / file).model.backbone.to_dict()
    backbone = own if results.backbone is None else backbone_named(results.backbone)
    return measure_cost(results.backbone or OWN, backbone, SIDE, threads=[1])


def on_one_thread(cost: Cost) -> Timing:
    """How fast it is on one thread of the CPU."""
    return next(timing for timing in cost.timings if timing.threads == 1)


def page(students: dict[str, Figures], costs: dict[str, Cost]) -> str:
    """The table as a page."""
    places = [(label, key) for key in METRICS for label in LABELS]
    places.remove(('random weights', 'accuracy/top1'))
    heads = ['student', 'parameters', 'ms', *(f'{METRICS[key]}, {label}' for label, key in places)]
    lines = [
        '# Students', '',
        '`make students`: students on the generated world, in percent: mean ± standard deviation over n seeds, or the '
        f'figure of one. ms: an image of {SIDE} x {SIDE} on one thread.', '',
        '![mIoU against time](../../images/students.png)', '',
        f'| {" | ".join(heads)} |', '|---' * len(heads) + '|'
    ]
    for name, figures in students.items():
        cost = costs[name]
        cells = [written(figures.get(place)) for place in places]
        cells = [name, f'{cost.parameters / 1e6:.2f} M', f'{on_one_thread(cost).milliseconds:.1f}', *cells]
        lines.append(f'| {" | ".join(cells)} |')
    notes = dict.fromkeys(note for cost in costs.values() for note in cost_notes(cost))
    lines += ['', *(f'- {note}' for note in notes)]
    return '\n'.join(lines) + '\n'


def written(figure: Figure | None) -> str:
    """A cell of the table."""
    if figure is None:
        return '–'
    deviation = '' if figure.std is None else f' ± {figure.std:.1f} ({len(figure.values)})'
    return f'{figure.mean:.1f}{deviation}'


def draw(students: dict[str, Figures], costs: dict[str, Cost]) -> None:
    """mIoU against milliseconds, a colour for each pre-training."""
    canvas = Canvas(figsize=(8, 4.5), layout='constrained')
    axes = canvas.subplots()
    for label, colour in LABELS.items():
        points = [(on_one_thread(costs[name]).milliseconds, figure.mean, figure.std or 0)
                  for name, figures in students.items() if (figure := figures.get((label, 'mIoU')))]
        if points:
            times, means, deviations = zip(*points)
            axes.errorbar(times, means, yerr=deviations, fmt='o', color=colour, label=label, capsize=3)
    for name in students:
        milliseconds = on_one_thread(costs[name]).milliseconds
        axes.axvline(milliseconds, color='#eeeeee', zorder=0)
        axes.annotate(name, (milliseconds, 0.02), rotation=90, xycoords=('data', 'axes fraction'), fontsize=8,
                      ha='right', va='bottom')
    axes.set(xscale='log', xlabel=f'ms for an image of {SIDE} x {SIDE}, one thread', ylabel='UPerNet, mIoU')
    axes.legend(frameon=False)
    axes.spines[['top', 'right']].set_visible(False)
    canvas.savefig(PICTURE, dpi=150)


if __name__ == '__main__':
    main(sys.argv[1:])
