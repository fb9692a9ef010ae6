"""The report as a whole: complete, safe, self-contained, and honest about what is missing."""

import base64
import re
from pathlib import Path

import pytest

from lgd_mm.errors import UserError
from lgd_mm.report.charts import SERIES
from lgd_mm.suite import report
from lgd_mm.suite.predictions import Picture
from lgd_mm.suite.report import write_report
from lgd_mm.suite.schema import Machine, Results
from tests.pages import Tags, check_page
from tests.test_suite.made_up import cell, metric, results, write_scalars

TASKS = {'zero-shot': [metric('top-1')], 'Mask R-CNN': [metric('box AP', scale=100), metric('mask AP', scale=100)]}
EVIL = '<script>alert("1")</script> & \'two\' $\\foo$'


def logged(folder: Path, made: Results) -> Results:
    """Leaves scalars in every work dir."""
    for one in made.cells:
        for work_dir in one.work_dirs:
            write_scalars(Path(work_dir), [dict(loss=9 / step, step=step, iter=step) for step in range(10, 60, 10)])
    return made


@pytest.fixture
def made(tmp_path: Path) -> Results:
    return logged(tmp_path, results(TASKS, ['random', 'LGD'], [
        cell('random', 'Mask R-CNN', {'box AP': (12.5, 1.0), 'mask AP': (11.0, 1.0)}, folder=tmp_path),
        cell('LGD', 'pre-training', folder=tmp_path),
        cell('LGD', 'zero-shot', {'top-1': (80.0, 1.0)}, folder=tmp_path),
        cell('LGD', 'Mask R-CNN', {'box AP': (25.0, 1.0), 'mask AP': (12.0, 1.0)}, folder=tmp_path),
    ]))


def page_of(made: Results, folder: Path) -> str:
    write_report(made, folder / 'out')
    return (folder / 'out/report.html').read_text()


def test_everything_measured_is_in_the_page(made: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Picture([('ground truth', b'RIFF truth'), ('LGD', b'RIFF LGD')], [('disc', '#ff0000')])
    drawn = [[], [picture]]
    monkeypatch.setattr(report, 'find_models', lambda results, task: ({}, []))
    monkeypatch.setattr(report, 'draw_predictions', lambda models: drawn.pop(0))
    page = page_of(made, tmp_path)

    body = page[page.index('<tbody>'):page.index('</tbody>')]
    cells = [re.sub('<.*?>', '', found) for found in re.findall(r'<td.*?</td>', body)]
    assert cells == ['–', '12.5 ± 1.0', '11.0 ± 1.0', '1 min 00 s', '80.0 ± 1.0', '25.0 ± 1.0', '12.0 ± 1.0',
                     '3 min 00 s']
    assert re.findall('class="lead">([^ ]+)', body) == ['25.0']  # mask AP: within the deviations; zero-shot: alone
    titles = re.findall('<figcaption>(.*?)</figcaption>', page)
    assert titles == ['zero-shot: top-1', 'Mask R-CNN: box AP', 'Mask R-CNN: mask AP',  # bars
                      'Mask R-CNN: box AP', 'Mask R-CNN: mask AP',  # differences
                      'zero-shot: loss', 'Mask R-CNN: loss', 'LGD', 'ground truth', 'LGD']
    for text in ('# Mask R-CNN, seed 2, hash 000000000000\npython tools/train.py LGD/seed2/Mask R-CNN.py', '2.11.0',
                 '2 min 34 s', '2.0 GiB (process)', '12.5</td>'):
        assert text in page
    assert f'data:image/webp;base64,{base64.b64encode(b"RIFF LGD").decode()}' in page
    assert sorted(file.name for file in (tmp_path / 'out').iterdir()) == ['report.html', 'report.md']
    assert (tmp_path / 'out/report.md').read_text().startswith('# Made up\n')


def test_page_is_well_formed_and_needs_nothing_beside_it(made: Results, tmp_path: Path) -> None:
    check_page(page_of(made, tmp_path))


def test_every_colour_is_defined_for_light_and_dark(made: Results, tmp_path: Path) -> None:
    page = page_of(made, tmp_path)
    for index in range(len(SERIES)):
        light, dark = re.findall(rf'--series-{index}: (#[0-9a-f]{{6}});', page)
        assert light != dark


@pytest.mark.parametrize('state', ['done', 'failed'])
def test_names_are_escaped(tmp_path: Path, state: str) -> None:
    made = logged(tmp_path, results({EVIL: [metric(EVIL)]}, [EVIL], [
        cell(EVIL, 'pre-training', folder=tmp_path),
        cell(EVIL, EVIL, {EVIL: (1.0, 0.5)}, folder=tmp_path, state=state, error=EVIL),
    ], title=EVIL, note=EVIL, command=EVIL, versions={EVIL: EVIL}))
    made.entries[0].pretrain = EVIL
    page = page_of(made, tmp_path)
    assert page.count('id="bar-0-') == 0 if state == 'failed' else 'id="bar-0-' in page
    assert '<script' not in page
    assert '&lt;script&gt;alert(' in page
    tags = Tags()
    tags.feed(page)
    assert tags.open == []


def test_a_failed_cell_shows_its_last_lines(made: Results, tmp_path: Path) -> None:
    made.cells[3].state, made.cells[3].error = 'failed', 'seed 1: exit code 2\nerror: it broke'
    page = page_of(made, tmp_path)
    assert '<td class="failed">failed</td>' in page
    assert '<pre>seed 1: exit code 2\nerror: it broke</pre>' in page


def test_what_is_gone_is_told(made: Results, tmp_path: Path) -> None:
    made.cells[3].work_dirs = [str(tmp_path / 'nothing')]
    page = page_of(made, tmp_path)
    assert 'not available, as their work dirs are gone: LGD, Mask R-CNN.' in page
    assert 'Mask R-CNN: loss' in page  # of the other entry


@pytest.mark.parametrize('error, told', [(UserError('the images are gone'), 'the images are gone'),
                                         (KeyError('gt'), 'KeyError: &#39;gt&#39;')])
def test_predictions_that_fail_are_told(made: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                        error: Exception, told: str) -> None:
    def broken(models: dict) -> None:
        raise error

    monkeypatch.setattr(report, 'find_models', lambda results, task: ({}, ['LGD'] if 'Mask' in task.name else []))
    monkeypatch.setattr(report, 'draw_predictions', broken)
    page = page_of(made, tmp_path)
    assert f'Not available: zero-shot: {told}.' in page
    assert 'Not available: Mask R-CNN: the checkpoint of LGD is not available.' in page


def test_a_damaged_run_leaves_the_old_report(made: Results, tmp_path: Path) -> None:
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/report.html').write_text('old')
    file = write_scalars(Path(made.cells[0].work_dirs[0]), [], start='20260101_000001', cut_off='{"loss": \n{}\n')
    with pytest.raises(UserError, match=re.escape(f'{file}, line 1 is not JSON')):
        write_report(made, tmp_path / 'out')
    assert (tmp_path / 'out/report.html').read_text() == 'old'
    assert len(list((tmp_path / 'out').iterdir())) == 1


def test_a_suite_that_has_measured_nothing_has_a_page(tmp_path: Path) -> None:
    page = page_of(results(TASKS, ['LGD'], [cell('LGD', 'zero-shot', state='not run', seeds=(), images_per_second=None,
                                                 peak_memory_mb=None)], machine=Machine(), versions={}), tmp_path)
    assert 'Nothing has been measured yet.' in page
