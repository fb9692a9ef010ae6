"""lgd_mm.compare() from its arguments to its report, on stand-ins for the tools."""

import json
import shutil
import sys

import pytest
import yaml

import lgd_mm
from lgd_mm.comparison.request import read_state
from lgd_mm.errors import UserError
from lgd_mm.suite.launcher import Launcher
from tests.own_sets import write_image
from tests.tiny import ROOT

FAKE = ROOT / 'tests' / 'test_suite' / 'fake_tool.py'


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Arguments; each run takes a tenth of a second, of which a step of 0.25 s is logged."""
    monkeypatch.setattr(Launcher, 'command', lambda self, command: [sys.executable, str(FAKE), *command])
    monkeypatch.setattr('yapf.yapflib.yapf_api.FormatCode', lambda text, **style: (text, True))  # takes most of it
    for index in range(40):
        write_image(tmp_path / 'photos' / f'{index}.png', index)
    for split in ('train', 'val'):
        for index in range(6):
            write_image(tmp_path / 'birds' / split / ('wren', 'robin')[index % 2] / f'{index}.png', index + 1)
    (tmp_path / 'names.txt').write_text('red star\nblue ring\n')
    return dict(images=tmp_path / 'photos', classes=tmp_path / 'names.txt', classification=tmp_path / 'birds',
                methods=['seed', 'random', 'mimicking'], students=['timm/test_resnet'], teacher='shapes', seeds=2,
                out=tmp_path / 'out')


def test_a_comparison(asked, capsys):
    """Within its budget, kept, gone on with, and changed."""
    out = asked['out']
    assert lgd_mm.compare(**asked, budget='2h', dry_run=True) is None
    told = capsys.readouterr().out
    assert 'What it takes' in told and 'disk space for checkpoints' in told and not (out / 'report.html').exists()
    measured = sorted(path.parent.relative_to(out) for path in out.glob('measure/*/*/*/run.json'))
    assert [str(path) for path in measured] == [
        'measure/seed-timm-test-resnet/seed0/pre-training', 'measure/tasks-timm-test-resnet/seed0/classification']
    suite = yaml.safe_load((out / 'suite.yaml').read_text())
    assert [entry['label'] for entry in suite['entries']] == ['random weights', 'SEED', 'mimicking']
    assert all(entry['backbone'] == 'timm/test_resnet' for entry in suite['entries'])
    assert suite['seeds'] == [0, 1] and (out / 'configs' / 'seed_timm-test_resnet.py').is_file()

    stamps = {path: path.stat().st_mtime_ns for path in out.glob('measure/*/*/*/run.json')}
    results = lgd_mm.compare(**asked, budget='1h')  # nothing has begun, so the budget may change
    told = capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert [(cell.entry, cell.task, cell.n) for cell in results.cells] == [
        ('random weights', 'classification', 2), ('SEED', 'pre-training', 2), ('SEED', 'classification', 2),
        ('mimicking', 'pre-training', 2), ('mimicking', 'classification', 2)]
    assert (out / 'report.html').is_file() and 'lgd-mm predict ' in told and 'best figure in classification' in told

    runs = {path: path.stat().st_mtime_ns for path in out.glob('*/seed*/*/run.json')}
    assert lgd_mm.compare(**asked, budget='1h').cells == results.cells
    with pytest.raises(UserError, match='holds a comparison of other settings .here budget 3h, there 1h.'):
        lgd_mm.compare(**asked, budget='3h')
    suite = yaml.safe_load((out / 'suite.yaml').read_text())
    suite['entries'] = suite['entries'][:2]
    suite['seeds'] = [0, 1, 2]
    (out / 'suite.yaml').write_text(yaml.safe_dump(suite))
    again = lgd_mm.compare(out=out)
    assert [cell.n for cell in again.cells] == [3, 3, 3]
    assert {path: path.stat().st_mtime_ns for path in runs} == runs


def test_a_budget_that_is_too_small(asked, capsys):
    """Says what would fit; the measuring is kept, and nothing is trained."""
    asked['methods'] = ['random']
    with pytest.raises(UserError, match=r'budget is 1s, and the shortest that is trained .* give --budget \d+m or'):
        lgd_mm.compare(**asked, budget='1s')
    assert 'The shortest that is trained' in capsys.readouterr().out
    state = read_state(asked['out'])
    assert not state.planned and not (asked['out'] / 'suite.yaml').exists()
    shutil.copy(asked['images'] / '1.png', asked['classification'] / 'val' / 'wren' / 'same.png')
    lgd_mm.compare(**asked, budget='2h', dry_run=True)
    told = capsys.readouterr().out
    # write_image draws the same image for indices that are 12 apart
    assert '7 of 7 test images of classification are also among the unlabelled images' in told
    assert json.loads((asked['out'] / 'comparison.json').read_text())['planned']


def test_what_cannot_be_measured(asked, monkeypatch):
    """A run that fails in the measuring would fail in the comparison."""
    broken = "import sys; print('error: the student does not fit'); sys.exit(2)"
    monkeypatch.setattr(Launcher, 'command', lambda self, command: [sys.executable, '-c', broken])
    with pytest.raises(UserError, match='a few steps were to be measured, and seed, .* failed: error: the student'):
        lgd_mm.compare(**asked, budget='2h')
