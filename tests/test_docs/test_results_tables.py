"""The tables of figures in README and docs are those of the results that are committed beside them."""

import math
import statistics
from pathlib import Path

import pytest

from lgd_mm.suite.figures import columns, find_figure
from lgd_mm.suite.files import read_results
from lgd_mm.suite.table import format_figure

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / 'docs' / 'results'
#: Headings of columns, and the tasks and metrics that they stand for.
METRICS = {
    'zero-shot': ('zero-shot', 'accuracy/top1'),
    'zero-shot colours': ('zero-shot colours', 'accuracy/top1'),
    'segmentation by names': ('zero-shot segmentation', 'mIoU'),
    'linear probe': ('linear probe', 'accuracy/top1'),
    'box AP': ('Mask R-CNN', 'coco/bbox_mAP'),
    'mask AP': ('Mask R-CNN', 'coco/segm_mAP'),
    'mIoU': ('UPerNet', 'mIoU'),
}
#: Labels of rows where the text calls them otherwise.
LABELS = {'feature mimicking': 'mimicking', 'supervised, 4,000 labels': 'supervised'}


def tables(page):
    """Each table of a page whose headings are metrics: rows of cells by heading."""
    lines = [[cell.strip().strip('*') for cell in line.strip('|').split('|')] if line.startswith('|') else None
             for line in page.read_text().splitlines()]
    starts = [number for number, (line, before) in enumerate(zip(lines, [None, *lines])) if line and not before]
    for start in starts:
        heading = lines[start]
        if 'mIoU' in heading and set(heading[2:]) <= set(METRICS):
            rows = []
            for line in lines[start + 2:]:
                if not line:
                    break
                rows.append(dict(zip(['label', *heading[1:]], line, strict=True)))
            yield rows


def written(folder):
    """The figures of a folder of results, as tables write them, by label and metric."""
    results = read_results(RESULTS / folder / 'results.json')
    figures = {}
    for label in (entry.label for entry in results.entries):
        for column in columns(results):
            if find_figure(results, label, column):
                figures[label, (column.task, column.key)] = ' '.join(format_figure(results, label, column)).strip()
    return figures


@pytest.mark.parametrize(('page', 'number', 'folders'), [
    (ROOT / 'README.md', 0, ('suite', )),
    (RESULTS / 'README.md', 0, ('suite', )),
    (RESULTS / 'README.md', 1, ('rivals', )),
    (RESULTS / 'README.md', 2, ('dense_cached', )),
    (RESULTS / 'README.md', 3, ('harder', )),
    (RESULTS / 'README.md', -1, ('cache_precision', )),
])
def test_a_table_says_what_was_measured(page, number, folders):
    measured = {}
    for folder in folders:
        measured |= written(folder)
    rows = list(tables(page))[number]
    seen = 0
    for row in rows:
        label = row.pop('label')
        label = LABELS.get(label, label)
        for heading, cell in row.items():
            if heading in METRICS:
                assert cell == measured.get((label, METRICS[heading]), '–'), f'{page}: {label}, {heading}'
                seen += cell != '–'
    assert seen > len(rows)


@pytest.mark.parametrize('heading', ['box AP', 'mask AP', 'mIoU'])
def test_how_far_dense_guidance_is_ahead(heading):
    """Paired differences of five seeds, and the 95 % interval of their mean by Student's t of four degrees."""
    results = read_results(RESULTS / 'suite' / 'results.json')
    column = next(each for each in columns(results) if (each.task, each.key) == METRICS[heading])
    dense, supervised = (find_figure(results, label, column).values for label in ('dense LGD', 'supervised'))
    ahead = [ours - theirs for ours, theirs in zip(dense, supervised, strict=True)]
    assert len(ahead) == 5 and min(ahead) > 0
    mean, half = statistics.mean(ahead), 2.776 * statistics.stdev(ahead) / math.sqrt(5)
    told = 'excludes 0' if mean > half else 'does not exclude 0'
    line = f'| {heading} | {", ".join(f"{each:.1f}" for each in ahead)} | {mean:.1f} ± {half:.1f}: {told} |'
    assert line in (RESULTS / 'README.md').read_text().splitlines()
