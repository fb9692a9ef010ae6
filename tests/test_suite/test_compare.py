"""Two suites side by side."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

from lgd_mm.errors import UserError
from lgd_mm.suite import files as suite_files
from lgd_mm.suite.compare import compare, compare_table
from lgd_mm.suite.files import read_results
from lgd_mm.suite.schema import ImageSet, Machine, Results
from tests.test_suite.made_up import MACHINE, cell, metric, results

TASKS = {'probe': [metric('top-1')], 'UPerNet': [metric('mIoU')]}


@pytest.fixture
def pair() -> tuple[Results, Results]:
    a = results(TASKS, ['random', 'LGD', 'SEED'], [
        cell('random', 'probe', {'top-1': (20.0, 1.0)}),
        cell('LGD', 'probe', {'top-1': (40.0, 1.0)}),
        cell('LGD', 'UPerNet', {'mIoU': (30.0, None)}, seeds=(0, )),
        cell('SEED', 'probe', {'top-1': (35.0, 1.0)}),
    ])
    b = results({**TASKS, 'k-NN': [metric('top-1')]}, ['LGD', 'random'], [
        cell('random', 'probe', {'top-1': (18.0, 1.0)}),
        cell('random', 'UPerNet', {'mIoU': (10.0, 1.0)}),
        cell('LGD', 'probe', {'top-1': (52.5, 1.0)}),
        cell('LGD', 'UPerNet', {'mIoU': (50.0, 1.0)}),
    ])
    for one in b.cells:  # seeds that were lucky in one suite are not in the other
        for figure in filter(None, one.metrics.values()):
            figure.values.reverse()
    return a, b


def test_shared_figures_with_their_differences(pair: tuple[Results, Results]) -> None:
    found = [(item.label, item.column.task, item.difference, item.exceeds) for item in compare(*pair).pairs]
    assert found == [
        ('random', 'probe', -2.0, False),
        ('LGD', 'probe', 12.5, True),
        ('LGD', 'UPerNet', 20.0, False),  # one seed
    ]


def test_what_only_one_has_is_listed(pair: tuple[Results, Results]) -> None:
    assert compare(*pair).notes == [
        'Only A has the entries: SEED.',
        'Only B has the metrics: k-NN top-1.',
        'Only B has the figures: random, UPerNet.',
    ]


def test_what_is_there_of_an_unfinished_suite_is_compared(pair: tuple[Results, Results]) -> None:
    pair[1].cells[2].state = 'not run'
    found = compare(*pair)
    assert {(item.label, item.column.task) for item in found.pairs} >= {('LGD', 'probe')}
    assert found.notes[0] == 'Not all seeds of B are there: LGD, probe (n = 3).'


def test_other_conditions_are_told(pair: tuple[Results, Results]) -> None:
    a, b = pair
    b.versions = {'torch': '2.12.0', 'numpy': '2'}
    b.machine = Machine(**MACHINE | dict(threads=64, date='2027-01-01'))
    b.cells[2].hashes[1] = 'other'
    assert compare(a, b).notes[3:] == [
        'Versions differ: torch 2.11.0 in A, 2.12.0 in B; numpy unknown in A, 2 in B.',
        'Machines differ: threads 2 in A, 64 in B.',
        'Settings, files, folders or versions differ (by the hash of the run): LGD, probe.',
    ]


def render(*files: Path) -> tuple[str, str]:
    console = Console(width=100, record=True, force_terminal=True, color_system='standard', file=io.StringIO())
    console.print(compare_table(*files))
    return console.export_text(clear=False), console.export_text(styles=True)


def write(folder: Path, *suites: Results) -> list[Path]:
    files = [folder / f'{number}.json' for number in range(len(suites))]
    for file, suite in zip(files, suites):
        suite_files.write(file, suite)
    return files


def test_table(pair: tuple[Results, Results], tmp_path: Path) -> None:
    plain, styled = render(*write(tmp_path, *pair))
    rows = [[part.strip() for part in line.split('│')[1:-1]] for line in plain.splitlines() if line.startswith('│')]
    assert rows == [
        ['random', 'probe', 'top-1', '20.0 ± 1.0', '18.0 ± 1.0', '-2.0 ± 2.5'],
        ['LGD', 'probe', 'top-1', '40.0 ± 1.0', '52.5 ± 1.0', '+12.5 ± 2.5 *'],
        ['', 'UPerNet', 'mIoU', '30.0', '50.0 ± 1.0', '+20.0'],
    ]
    assert re.findall(r'\x1b\[1m *([+-][\d.]+)', styled) == ['+12.5']
    assert 'Only A has the entries: SEED.' in plain


def test_nothing_in_common(pair: tuple[Results, Results], tmp_path: Path) -> None:
    plain, _ = render(*write(tmp_path, pair[0], results({'other': [metric('x')]}, ['random'], [])))
    assert 'no figure in common' in plain


@pytest.mark.parametrize('content', [None, '', '{"tasks": ', '[]', '{"rows": []}', '\x00'])
def test_another_file_is_refused(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / 'results.json'
    if content is not None:
        file.write_text(content)
    with pytest.raises(UserError, match=re.escape(str(file))) as caught:
        read_results(file)
    assert '\n' not in str(caught.value)


def test_what_lacks_is_told(pair: tuple[Results, Results], tmp_path: Path) -> None:
    file, = write(tmp_path, pair[0])
    content = json.loads(file.read_text())
    del content['machine']
    file.write_text(json.dumps(content))
    with pytest.raises(UserError, match='it has no machine: give the results.json'):
        read_results(file)


def test_results_of_another_version_are_refused(pair: tuple[Results, Results], tmp_path: Path) -> None:
    files = write(tmp_path, *pair)
    contents = [json.loads(file.read_text()) for file in files]
    del contents[0]['tasks'][0]['metrics'][0]['better']
    del contents[1]['tasks'][0]['metrics']
    lacking = 'tasks[0].metrics[0] has no better', 'tasks[0] has no metrics'
    for file, content, message in zip(files, contents, lacking):
        file.write_text(json.dumps(content))
        with pytest.raises(UserError, match=re.escape(f'{file}: {message}: give the results.json')):
            read_results(file)


@pytest.mark.parametrize('in_a, in_b, told', [
    (dict(version=1), dict(version=2), 'A has version 1 of the task, and B version 2'),
    (dict(), dict(task='coco/atss', version=2), 'A has version 1 of coco/atss, and B version 2'),
    (dict(task='coco/atss', version=3), dict(task='coco/atss', version=2),
     'A has version 3 of coco/atss, and B version 2'),
    (dict(task='coco/atss'), dict(task='coco/retinanet'), 'A measures coco/atss, and B coco/retinanet'),
])
def test_other_tasks_are_not_subtracted(pair: tuple[Results, Results], tmp_path: Path, in_a: dict, in_b: dict,
                                        told: str) -> None:
    for suite, about in zip(pair, (in_a, in_b)):
        vars(suite.tasks[0]).update(about)
    found = compare(*map(read_results, write(tmp_path, *pair)))
    assert {item.column.task for item in found.pairs} == {'UPerNet'}
    assert found.notes[0] == f'probe is not subtracted: {told}.' and len(found.notes) == 4


def test_a_task_that_one_file_does_not_name_is_the_same(pair: tuple[Results, Results]) -> None:
    """Files of earlier versions know neither names nor versions."""
    pair[1].tasks[0].task = 'imagenet/linear'
    assert {item.column.task for item in compare(*pair).pairs} == {'probe', 'UPerNet'}


@pytest.mark.parametrize('digests, told', [
    (('aa' * 32, 'bb' * 32),
     ['probe is not subtracted: the test images are others (A: aaaaaaaaaaaa, B: bbbbbbbbbbbb).']),
    (('aa' * 32, 'aa' * 32), []), ((None, 'bb' * 32), []), ((None, None), [])])
def test_other_images_are_not_subtracted(pair: tuple[Results, Results], digests: tuple, told: list[str]) -> None:
    for suite, digest in zip(pair, digests):
        for one in suite.cells:
            one.tested = ImageSet(800, digest) if digest and one.task == 'probe' else None
    found = compare(*pair)
    assert [note for note in found.notes if 'subtracted' in note] == told
    assert any(item.column.task == 'probe' for item in found.pairs) == (not told)


def test_a_task_with_two_sets_of_images_in_either_is_not_subtracted(pair: tuple[Results, Results]) -> None:
    for suite in pair:
        for one, digest in zip((one for one in suite.cells if one.task == 'probe'), ('aa' * 32, 'bb' * 32)):
            one.tested = ImageSet(800, digest)
        for one in suite.cells:
            one.tested = one.tested or ImageSet(800, 'aa' * 32)
    found = compare(*pair)
    assert any('probe is not subtracted' in note for note in found.notes)
    assert {item.column.task for item in found.pairs} == {'UPerNet'}
