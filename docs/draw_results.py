"""Draws ``docs/images/results.png`` from results of suites: a panel for each metric, a bar for each pre-training.

Usage: ``python docs/draw_results.py docs/results/suite/results.json``. A pre-training that several files have is drawn
from the last one. Give it again after a suite was measured anew.
"""

import sys
from pathlib import Path

from matplotlib.figure import Figure

from lgd_mm.suite.figures import columns, find_figure
from lgd_mm.suite.files import read_results

OUT = Path(__file__).with_name('images') / 'results.png'
#: Panels by task and metric, and what they are called.
PANELS = {
    ('zero-shot', 'accuracy/top1'): 'zero-shot top-1',
    ('Mask R-CNN', 'coco/bbox_mAP'): 'detection, box AP',
    ('UPerNet', 'mIoU'): 'segmentation, mIoU',
}
HIGHLIGHT, OTHERS, LABELLED = '#1a7f4b', '#8fa3bf', '#c9ccd1'


def main(files: list[str]) -> None:
    """Read the figures and draw them."""
    figures, rows = {}, []
    for results in map(read_results, map(Path, files)):
        labels = [entry.label for entry in results.entries]
        rows += [label for label in labels if label not in rows]
        found = {(label, column.task, column.key): find_figure(results, label, column)
                 for label in labels for column in columns(results)}
        figures |= {place: figure for place, figure in found.items() if figure}
    canvas = Figure(figsize=(10, 0.6 + 0.36 * len(rows)), layout='constrained')
    panels = canvas.subplots(1, len(PANELS), sharey=True)
    for axes, (metric, title) in zip(panels, PANELS.items()):
        for place, row in enumerate(rows):
            figure = figures.get((row, *metric))
            colour = HIGHLIGHT if row.startswith('dense') else LABELLED if row == 'supervised' else OTHERS
            mean, std = (figure.mean, figure.std or 0) if figure else (0, 0)
            axes.barh(place, mean, xerr=std or None, color=colour, height=0.66, capsize=3)
            axes.annotate(f'{mean:.1f}' if figure else '–', (mean + std, place), (5, 0), textcoords='offset points',
                          va='center', fontsize=10)
        axes.set_title(title, loc='left', fontsize=11)
        axes.set_xlim(0, 1.2 * max(figure.mean for place, figure in figures.items() if place[1:] == metric))
        axes.set_xticks([])
        axes.spines[['top', 'right', 'bottom']].set_visible(False)
        axes.tick_params(length=0)
    panels[0].set_yticks(range(len(rows)), rows, fontsize=10)
    panels[0].invert_yaxis()
    canvas.savefig(OUT, dpi=150)
    print(OUT)


if __name__ == '__main__':
    main(sys.argv[1:])
