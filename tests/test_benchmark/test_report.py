"""The report as a whole: complete, safe, self-contained, and honest about what is missing."""

import base64
import json
import re
from pathlib import Path

import pytest

from lgd_mm.errors import UserError
from lgd_mm.benchmark.charts import INK, SERIES, Curve, curve_chart
from lgd_mm.benchmark.report import write_report
from lgd_mm.benchmark.scalars import read_history
from lgd_mm.benchmark.table import METRICS


def write_scalars(work_dir: Path, start: str, records: list[dict], cut_off: str = '') -> Path:
    file = work_dir / start / 'vis_data/scalars.json'
    file.parent.mkdir(parents=True)
    file.write_text(''.join(json.dumps(record) + '\n' for record in records) + cut_off)
    return file


def train(step: int, loss: float, **others: float) -> dict:
    return dict(loss=loss, step=step, iter=step, **others)


def stage(name: str, label: str, work_dir: Path, seconds: float = 60.0, seed: int = 0) -> dict:
    return dict(name=name, label=label, seed=seed, seconds=seconds, work_dir=str(work_dir),
                command=f'tools/train.py {name}.py --seed {seed}')


def row(label: str, values: list[float | None]) -> dict:
    metrics = dict(zip(METRICS, values))
    return dict(label=label, metrics=metrics, spread=dict.fromkeys(METRICS), per_seed=[dict(seed=0, metrics=metrics)])


@pytest.fixture
def results(tmp_path: Path) -> dict:
    steps = range(10, 60, 10)
    write_scalars(tmp_path / 'lgd', '20260101_000000',
                  [train(step, 2 / step, loss_visual=1.2 / step, loss_textual=0.8 / step) for step in steps])
    for run in ('a', 'b'):
        write_scalars(tmp_path / run, '20260101_000000', [
            *(train(step, 9 / step, epoch=step // 10) for step in steps),
            {'coco/bbox_mAP': 0.125, 'step': 3},
            {'coco/bbox_mAP': 0.25, 'step': 5},
        ])
    return dict(
        rows=[row('random weights', [None, 12.5, 11.0, 20.0]), row('LGD student', [80.0, 25.0, 21.0, 40.0])],
        stages=[
            dict(name='world', label='', seed=0, seconds=4.0, command='', work_dir=str(tmp_path / 'data')),
            stage('pretrain', 'LGD student', tmp_path / 'lgd'),
            stage('mask-rcnn', 'random weights', tmp_path / 'a'),
            stage('mask-rcnn', 'LGD student', tmp_path / 'b', seconds=30.0),
        ],
        seeds=[0],
        seconds=154.0,
        versions={'torch': '2.11.0'},
        machine=dict(processor='x86_64', threads=2, gpu=None))


def test_everything_measured_is_in_the_page(results: dict, tmp_path: Path) -> None:
    picture = tmp_path / 'detection_1.png'
    picture.write_bytes(b'\x89PNG picture')
    out = tmp_path / 'new/report.html'
    write_report(results, out, [picture])
    page = out.read_text()

    cells = re.findall(r'<td>(.*?)</td>', page)
    assert cells[:10] == ['–', '12.5', '11.0', '20.0', '1 min 00 s', '80.0', '25.0', '21.0', '40.0', '1 min 30 s']
    titles = re.findall('<figcaption>(.*?)</figcaption>', page)
    assert titles == [*METRICS.values(), 'LGD pre-training: loss', 'Mask R-CNN: loss', 'Mask R-CNN: box AP']
    for text in ('visual', 'textual', 'tools/train.py mask-rcnn.py --seed 0', '2.11.0', '2 min 34 s'):
        assert text in page
    assert f'data:image/png;base64,{base64.b64encode(picture.read_bytes()).decode()}' in page
    assert list(out.parent.iterdir()) == [out]


def test_page_needs_nothing_beside_it(results: dict, tmp_path: Path) -> None:
    write_report(results, tmp_path / 'report.html')
    page = (tmp_path / 'report.html').read_text()

    references = re.findall(r'(?:\bsrc|href|url)\s*[=(]\s*["\']?([^"\')\s>]+)', page)
    assert references, 'the charts refer to their own parts'
    assert {reference for reference in references if not reference.startswith(('#', 'data:'))} == set()
    assert '<script' not in page and '@import' not in page
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert {reference[1:] for reference in references if reference.startswith('#')} <= set(ids)


def test_names_are_escaped(results: dict, tmp_path: Path) -> None:
    evil = '<script>alert(1)</script>'
    results['rows'][1]['label'] = evil
    results['versions'][evil] = evil
    for entry in results['stages']:
        entry['command'] += ' ' + evil
        if entry['label'] == 'LGD student':
            entry['label'] = evil
    write_report(results, tmp_path / 'report.html')
    assert '<script>' not in (tmp_path / 'report.html').read_text()


def test_a_run_without_scalars_is_named(results: dict, tmp_path: Path) -> None:
    results['stages'].append(stage('upernet', 'random weights', tmp_path / 'nothing'))
    write_report(results, tmp_path / 'report.html')
    page = (tmp_path / 'report.html').read_text()
    assert f'no scalars were found: UPerNet of random weights, seed 0 ({tmp_path}/nothing).' in page
    assert 'UPerNet: loss' not in page


def test_a_damaged_run_leaves_the_old_report(results: dict, tmp_path: Path) -> None:
    out = tmp_path / 'report.html'
    out.write_text('old')
    file = write_scalars(tmp_path / 'a', '20260101_000001', [train(60, 0.1)], cut_off='{"loss": \n{}\n')
    with pytest.raises(UserError, match=re.escape(f'{file}, line 2 is not JSON')):
        write_report(results, out)
    assert out.read_text() == 'old'


def test_resumed_run_is_one_history(tmp_path: Path) -> None:
    write_scalars(tmp_path, '20260101_000000', [
        train(10, 5.0), train(20, 4.0), {'mIoU': 1.0, 'step': 20}, train(30, 3.0), {'mIoU': 2.0, 'step': 30}
    ], cut_off='{"loss": 2.9')  # killed while writing
    write_scalars(tmp_path, '20260101_000100', [train(25, 3.5), {'mIoU': 3.0, 'step': 25}, train(35, 2.5)])
    history = read_history(tmp_path)
    assert [(record['step'], record['loss']) for record in history.training] == [(10, 5.0), (20, 4.0), (25, 3.5),
                                                                                 (35, 2.5)]
    assert [(record['step'], record['mIoU']) for record in history.evaluations] == [(20, 1.0), (25, 3.0)]


def test_parts_are_joined_in_the_order_of_time(tmp_path: Path) -> None:
    write_scalars(tmp_path, '20260102_000000', [train(10, 1.0)])
    write_scalars(tmp_path, '20260101_000000', [train(10, 5.0), train(20, 4.0)])
    assert [record['loss'] for record in read_history(tmp_path).training] == [1.0]


def test_nothing_logged_is_an_empty_history(tmp_path: Path) -> None:
    assert read_history(tmp_path / 'missing') == ([], [])


def test_charts_take_the_colours_of_the_page() -> None:
    svg = curve_chart('c', [Curve('total', 1, [1, 2], [3, 4]), Curve(None, 1, [1, 2], [4, 5])], 'iteration')
    assert svg.startswith('<svg') and 'viewBox' in svg
    assert svg.count('stroke: var(--series-1)') == 3  # two curves and one entry of the legend
    assert not any(colour in svg for colour in (INK, *SERIES))
    assert svg == curve_chart('c', [Curve('total', 1, [1, 2], [3, 4]), Curve(None, 1, [1, 2], [4, 5])], 'iteration')
