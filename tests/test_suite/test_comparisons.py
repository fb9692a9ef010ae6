"""What a report compares: differences, costs, sizes of objects, classes."""

import json
import math
import re
from pathlib import Path

import pytest

from lgd_mm.costs.report import Cost, Timing
from lgd_mm.errors import UserError
from lgd_mm.suite import comparisons, markdown_comparisons, report
from lgd_mm.suite.class_gains import class_gains, class_tables
from lgd_mm.suite.figures import columns
from lgd_mm.suite.files import read_results, write
from lgd_mm.suite.forest import forest_charts, format_difference, format_p
from lgd_mm.suite.marks import Difference
from lgd_mm.suite.pareto import latency, pareto_charts
from lgd_mm.suite.reference import reference_of
from lgd_mm.suite.schema import VERSION, Machine, Record, Results
from lgd_mm.suite.sizes import size_figures
from lgd_mm.suite.table import notes
from tests.pages import check_page
from tests.test_suite.made_up import MACHINE, cell, metric, results

BOX = 'coco/bbox_mAP'
TASKS = {'Mask R-CNN': [metric(BOX, scale=100)], 'probe': [metric('error', better='lower')]}
LABELS = ['random', 'LGD', 'SEED']


@pytest.fixture
def made(tmp_path: Path) -> Results:
    return results(TASKS, LABELS, [
        *(cell(label, 'Mask R-CNN', {BOX: (mean, 1.0)}, seeds=(0, 1), folder=tmp_path)
          for label, mean in zip(LABELS, (10.0, 25.0, 20.0))),
        *(cell(label, 'probe', {'error': (mean, 0.5)}, folder=tmp_path)
          for label, mean in zip(LABELS, (60.0, 20.0, 30.0))),
    ])


def test_the_reference_is_the_suites_or_the_first(made: Results) -> None:
    assert reference_of(made) == 'random'
    made.reference = 'SEED'
    assert reference_of(made) == 'SEED'
    made.reference = 'not run yet'
    assert reference_of(made) == 'random'
    made.entries = made.entries[:1]
    assert reference_of(made) is None


def test_a_suite_says_its_reference(fake, tmp_path: Path) -> None:
    fake.settings['reference'] = 'LGD'
    found = fake.runner(seeds=[0]).run()
    assert found.reference == read_results(tmp_path / 'runs/results.json').reference == 'LGD'
    fake.settings['reference'] = 'lgd'
    with pytest.raises(UserError, match="reference is 'lgd'; there are: random, LGD"):
        fake.read()


def difference(made: Results, label: str, mean: float, low: float | None, high: float | None, p: float | None,
               column: int = 0) -> Difference:
    return Difference(label, 'random', columns(made)[column], mean, low, high, p, p)


def test_differences_are_drawn_and_told(made: Results) -> None:
    found = [difference(made, 'LGD', 15.0, 12.25, 17.75, 0.0001), difference(made, 'SEED', 10.0, None, None, None),
             difference(made, 'LGD', -40.0, -42.0, -38.0, 0.04, column=1)]
    (first, box), (second, error) = forest_charts(made, found)
    assert (first, second) == ('Mask R-CNN: coco/bbox_mAP', 'probe: error ↓')
    assert '<desc id="forest-0-about">LGD +15.0 (12.2 to 17.8); SEED +10.0</desc>' in box
    assert 'SEED' not in error and 'minus random, percent' in box
    assert [format_difference(each) for each in found] == ['+15.0 (12.2 to 17.8)', '+10.0', '-40.0 (-42.0 to -38.0)']
    assert [format_p(each.p) for each in found] == ['< 0.001', '–', '0.040']
    assert 'var(--series-1)' in box and 'var(--series-2)' in box  # the colours of the entries everywhere


def costing(milliseconds: float) -> Cost:
    """As a suite measures it: on one thread, on several, and on a GPU."""
    times = [(device, threads, milliseconds * factor)
             for device, threads, factor in (('GPU', None, 0.1), ('CPU', 8, 0.3), ('CPU', 1, 1.0))]
    return Cost('A', 'ResNet', 224, 32, 1000, 2000, [
        Timing(device, 'onnxruntime', threads, 9, ms, ms, ms, 1000 / ms) for device, threads, ms in times])


def test_cost_is_drawn_once_two_are_known(made: Results) -> None:
    assert pareto_charts(made) == []
    made.costs = {label: costing(5.0) for label in LABELS}
    assert pareto_charts(made) == []  # one backbone
    made.costs['SEED'] = costing(2.5)
    del made.costs['random']
    assert [latency(made, label) for label in LABELS] == [None, 5.0, 2.5]
    (title, box), (_, error) = pareto_charts(made)
    assert title == 'Mask R-CNN: coco/bbox_mAP' and 'random' not in box
    assert 'better than: SEED, LGD.</desc>' in box and 'better than: SEED, LGD.</desc>' in error
    made.costs['LGD'] = costing(2.0)
    assert 'better than: LGD.</desc>' in pareto_charts(made)[1][1]  # less is better


def record(folder: str, metrics: dict[str, float]) -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    digest = f'{int(Path(folder).parent.name.removeprefix("seed")):064x}'  # as cell() has it
    write(Path(folder) / 'run.json', Record(digest, 'LGD', 'x', 0, '', folder, metrics, 1.0, None, None, None, {},
                                            Machine(**MACHINE), version=VERSION))


def test_sizes_are_those_of_the_records(made: Results) -> None:
    assert size_figures(made) == []  # the work dirs are gone
    for number, folder in enumerate(made.cells[1].work_dirs):
        record(folder, {BOX: 0.25, f'{BOX}_s': 0.2 + 0.1 * number, f'{BOX}_m': 0.5, f'{BOX}_l': -1.0})
    for folder in made.cells[2].work_dirs:
        record(folder, {BOX: 0.2, f'{BOX}_s': 0.125, f'{BOX}_m': -1.0, f'{BOX}_l': -1.0})
    record(made.cells[0].work_dirs[0], {f'{BOX}_s': 0.5})  # the other seed's is gone
    small, medium = size_figures(made)
    assert [each.title for each in (small, medium)] == [
        'Mask R-CNN: coco/bbox_mAP, small objects', 'Mask R-CNN: coco/bbox_mAP, medium objects']
    assert set(small.figures) == {'LGD', 'SEED'} and set(medium.figures) == {'LGD'}
    assert small.figures['LGD'].mean == pytest.approx(25) and small.figures['LGD'].values == pytest.approx([20, 30])
    assert small.figures['LGD'].std == pytest.approx(math.sqrt(50))
    assert [bar.missing for bar in small.bars(made)] == ['–', '', '']
    Path(made.cells[2].work_dirs[0], 'run.json').write_text('{damaged')
    assert set(size_figures(made)[0].figures) == {'LGD'}
    made.cells[1].hashes[0] = 'another run has been in its folder since'
    assert size_figures(made) == []


def test_sizes_of_lvis(tmp_path: Path) -> None:
    made = results({'LVIS': [metric('lvis/bbox_AP', scale=100)]}, ['A'], [
        cell('A', 'LVIS', {'lvis/bbox_AP': (10.0, None)}, seeds=(0, ), folder=tmp_path)])
    record(made.cells[0].work_dirs[0], {'lvis/bbox_AP': 0.1, 'lvis/bbox_APs': 0.05, 'lvis/bbox_APl': 0.25})
    assert {each.size: (each.figures['A'].mean, each.figures['A'].std) for each in size_figures(made)} == {
        'small': (5.0, None), 'large': (25.0, None)}


@pytest.fixture
def by_class(made: Results) -> dict:
    """Figures of classes by entry and task."""
    found = {('random', 'Mask R-CNN'): dict(cat=[10.0], dog=[20.0], owl=[30.0]),
             ('LGD', 'Mask R-CNN'): dict(cat=[29.0, 31.0], dog=[15.0, 15.0], owl=[30.0, 30.0], new=[1.0, 1.0]),
             ('random', 'probe'): dict(cat=[10.0], dog=[20.0]), ('SEED', 'probe'): dict(cat=[5.0], dog=[21.0])}
    for one in made.cells:
        for figure in filter(None, one.metrics.values()):
            figure.classes = found.setdefault((one.entry, one.task), {})
    return found


def test_gains_are_sorted_and_told(made: Results, by_class: dict) -> None:
    box, error = class_gains(made, 'random')
    assert box.gains == [('cat', 20.0), ('owl', 0.0), ('dog', -5.0)]
    assert box.sentence() == '1 of 3 classes improve, most cat (+20.0); 1 of 3 classes get worse, most dog (-5.0)'
    assert (error.label, error.series, error.gains) == ('SEED', 2, [('dog', 1.0), ('cat', -5.0)][::-1])
    assert error.sentence() == '1 of 2 classes improve, most cat (-5.0); 1 of 2 classes get worse, most dog (+1.0)'
    table, _ = class_tables([box, error])
    assert table.rows == [('cat', 10.0, [20.0]), ('dog', 20.0, [-5.0]), ('owl', 30.0, [0.0])]
    for figures in by_class.values():
        figures.clear()
    assert class_gains(made, 'random') == []


def test_the_page_and_the_text_hold_it_all(made: Results, by_class: dict, tmp_path: Path,
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    evil = '<script>x</script> | *x*'
    by_class['LGD', 'Mask R-CNN'][evil] = [3.0, 3.0]
    by_class['random', 'Mask R-CNN'][evil] = [1.0]
    made.costs = {label: costing(2.0 + n) for n, label in enumerate(LABELS)}
    made.tasks[0].version, made.tasks[0].task = 2, 'coco/mask-rcnn'
    for folder in made.cells[1].work_dirs:
        record(folder, {f'{BOX}_s': 0.25})
    found = [difference(made, 'LGD', 15.0, 12.0, 18.0, 0.0001), difference(made, 'SEED', 10.0, None, None, None)]
    monkeypatch.setattr(comparisons, 'differences', lambda results, reference: found)
    monkeypatch.setattr(markdown_comparisons, 'differences', lambda results, reference: found)
    monkeypatch.setattr(report, 'find_models', lambda results, task: ({}, []))
    report.write_report(made, tmp_path / 'out')
    page = (tmp_path / 'out/report.html').read_text()
    check_page(page)
    assert re.findall('<h2>(.*?)</h2>', page)[:6] == [
        'Results', 'What a student costs', 'Differences from random', 'Accuracy against cost',
        'By the size of objects', 'Classes, against random']
    tables, charts = page.count('<table'), page.count('<svg role="img"')
    assert tables == page.count('<div class="scroll" tabindex="0">\n<table')  # each scrolls in its own box
    assert charts == 2 + 1 + 2 + 1 + 2 and page.count('<desc ') == page.count('<svg')
    assert '<script' not in page and '<td class="lead">+15.0 (12.0 to 18.0)</td><td>&lt; 0.001</td>' in page
    assert page.count('<ul class="legend">') == 1  # the runs of this suite have left no curves
    assert 'Protocols that have changed: Mask R-CNN is version 2 of coco/mask-rcnn.' in page

    text = (tmp_path / 'out/report.md').read_text()
    assert '| LGD | **+15.0 (12.0 to 18.0)** |\n| SEED | +10.0 |' in text
    assert '| random | – |\n| LGD | 25.0 ± 0.0 |\n| SEED | – |' in text
    assert '- LGD, Mask R-CNN, coco/bbox\\_mAP: 2 of 4 classes improve, most cat (+20.0); 1 of 4' in text
    assert '<script' not in text


def test_versions_are_told_once_one_has_changed(made: Results) -> None:
    assert not any('Protocols' in note for note in notes(made))
    made.tasks[1].version = 3
    told = 'Protocols that have changed: probe is version 3. Figures of other versions do not compare.'
    assert told in notes(made)


def test_results_of_before_have_first_versions(made: Results, tmp_path: Path) -> None:
    write(tmp_path / 'results.json', made)
    content = json.loads((tmp_path / 'results.json').read_text())
    for task in content['tasks']:
        del task['task'], task['version']
    del content['reference']
    (tmp_path / 'results.json').write_text(json.dumps(content))
    assert read_results(tmp_path / 'results.json') == made
