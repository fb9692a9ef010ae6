"""What students cost, measured after the runs of a suite and shown in its reports."""

import io
import json
from dataclasses import asdict, replace

import pytest
from rich.console import Console

from lgd_mm.costs.report import Cost, Timing
from lgd_mm.errors import UserError
from lgd_mm.suite import costs as module
from lgd_mm.suite.costs import cost_columns, costs_table
from lgd_mm.suite.files import read_results, write
from lgd_mm.suite.markdown import markdown_report
from lgd_mm.suite.report import write_report
from tests.test_suite.made_up import cell, metric, results

MODEL = "train_cfg = dict(max_iters=2)\ntrain_dataloader = dict(batch_size=8)\nmodel = dict(backbone=dict({}))\n"
SLIM = "type='ResNet', depth=18, base_channels=8, stem_channels=8"


def made_up(label='LGD', key='a', **changes):
    timings = [Timing('CPU', 'onnxruntime 1, float32', threads, 200, 8. / threads, 7.5 / threads, 9. / threads,
                      150. * threads, 30., None, 'there is no energy counter', 0.0) for threads in (1, 4)]
    return replace(Cost(label, 'ResNet', 224, 32, 11_176_512, 1_813_561_344, timings, ['There is no GPU.'], 'a CPU', 4,
                        dict(torch='2'), '2026-01-02', key), **changes)


@pytest.fixture
def measured(monkeypatch):
    """The calls of a measurement that takes no time."""
    calls = []

    def measure(label, backbone, size, batch, threads):
        calls.append((label, backbone['type'], size, batch, threads))
        return made_up(label, module.cost_key(backbone, size, batch, threads))

    monkeypatch.setattr(module, 'measure_cost', measure)
    return calls


@pytest.fixture
def asking(fake):
    (fake.folder / 'train.py').write_text(MODEL.format(SLIM))
    fake.settings['cost'] = dict(size=64, threads=[1])
    return fake


def test_each_architecture_is_measured_once_and_kept(asking, measured):
    runner = asking.runner()
    found = runner.run()
    assert measured == [('random', 'mmpretrain.ResNet', 64, 32, [1])] and len(runner.records) == 8
    assert set(found.costs) == {'random', 'LGD'}
    file = asking.folder / 'runs' / 'results.json'
    assert read_results(file) == found
    asking.runner().run()
    assert len(measured) == 1 and read_results(file).costs == found.costs
    asking.settings['cost'] = dict(size=96)
    asking.runner().run()
    assert [call[2] for call in measured] == [64, 96]
    del asking.settings['cost']
    assert asking.runner().run().costs == {}


def test_other_architectures(asking, measured):
    (asking.folder / 'wide.py').write_text(MODEL.format(SLIM.replace('=8', '=16')))
    asking.settings['entries'].append(dict(label='wide', pretrain=str(asking.folder / 'wide.py')))
    asking.settings['entries'].append(asking.made('pupil', options=['model.backbone.depth=34',
                                                                    'teacher={student:LGD}']))
    found = asking.runner().run()
    assert [call[0] for call in measured] == ['random', 'wide', 'pupil'] and len(found.costs) == 4
    asking.runner(labels=['wide']).run()
    assert len(measured) == 3


def test_nothing_is_measured_while_a_run_goes_on(asking, measured, monkeypatch):
    runner = asking.runner()
    counts = []
    monkeypatch.setattr(module, 'measure_cost',
                        lambda label, *args, **kwargs: counts.append(len(runner.records)) or made_up(label))
    runner.run()
    assert counts == [8]


def test_a_network_that_cannot_be_measured_costs_no_results(asking, monkeypatch):
    def fail(*args, **kwargs):
        raise UserError('the student takes no images of 64 x 64 pixels')

    monkeypatch.setattr(module, 'measure_cost', fail)
    found = asking.runner().run()
    assert found.costs == {} and all(each.state == 'done' for each in found.cells)
    assert "the cost of 'LGD' is not known: the student takes no images of 64 x 64" in asking.output.getvalue()


@pytest.mark.parametrize('cost, said', [
    (5, 'cost is 5: it must be a dict of size, batch and threads'),
    (dict(side=224), "cost has the key 'side'; there are: size, batch, threads"),
    (dict(size='224'), 'size and batch must be whole numbers'),
    (dict(threads=1), 'threads a list of some'),
    (dict(size=0), 'cost.size is 0: give a number of 1 to 4096'),
    (dict(threads=[10**6]), 'cost.threads is 1000000, and this process may use')])
def test_mistakes(asking, cost, said):
    asking.settings['cost'] = cost
    with pytest.raises(UserError) as error:
        asking.read()
    assert said in str(error.value)


@pytest.fixture
def shown():
    cells = [cell('LGD', 'UPerNet', {'mIoU': (30., 1.)}), cell('LGD', 'pre-training', seconds=125.),
             cell('a|b <i>', 'UPerNet', {'mIoU': (20., 1.)})]
    return results({'UPerNet': [metric('mIoU')]}, ['a|b <i>', 'LGD', 'new'], cells,
                   costs={'LGD': made_up(), 'a|b <i>': made_up('a|b <i>')})


def test_columns(shown):
    columns = cost_columns(shown)
    assert columns.headings == ['parameters', 'multiply-adds', 'ms, CPU, 1 thread', 'images/s, CPU, 1 thread',
                                'ms, CPU, 4 threads', 'images/s, CPU, 4 threads', 'pre-training']
    assert dict(columns.rows)['LGD'] == ['11.18 M', '1.814 G', '8.00 (7.50 to 9.00)', '150', '2.00 (1.88 to 2.25)',
                                         '600', '2 min 05 s']
    assert dict(columns.rows)['a|b <i>'][-1] == '–' and dict(columns.rows)['new'] == ['–'] * 7
    assert columns.notes[0] == 'Images of 224 x 224.' and 'There is no GPU.' in columns.notes
    assert not any('other work' in note for note in columns.notes)
    shown.costs['LGD'].timings[0].others = 0.6
    assert any('other work took 60 % of a core' in note for note in cost_columns(shown).notes)


def test_in_every_report(shown, tmp_path):
    console = Console(file=io.StringIO(), width=200)
    console.print(costs_table(shown))
    assert '8.00 (7.50 to 9.00)' in console.file.getvalue() and '2 min 05 s' in console.file.getvalue()
    text = markdown_report(shown)
    assert '| LGD | 11.18 M | 1.814 G | 8.00 (7.50 to 9.00) | 150 |' in text and r'a\|b &lt;i&gt; | 11.18 M' in text
    write_report(shown, tmp_path)
    page = (tmp_path / 'report.html').read_text()
    assert '<h2>What a student costs</h2>' in page and '<td>8.00 (7.50 to 9.00)</td>' in page
    assert 'a|b &lt;i&gt;' in page and 'a|b <i>' not in page
    shown.costs.clear()
    assert 'costs' not in markdown_report(shown) and cost_columns(shown) is None
    write_report(shown, tmp_path)
    assert 'What a student costs' not in (tmp_path / 'report.html').read_text()


def test_files_of_before_and_of_others(shown, tmp_path):
    file = tmp_path / 'results.json'
    write(file, shown)
    assert read_results(file) == shown
    content = json.loads(file.read_text())
    del content['costs']
    file.write_text(json.dumps(content))
    assert read_results(file).costs == {}
    content['costs'] = {'nobody': asdict(made_up())}
    file.write_text(json.dumps(content))
    with pytest.raises(UserError, match="has no entry 'nobody', of which costs is"):
        read_results(file)
    content['costs'] = {'LGD': asdict(made_up()) | dict(timings='fast')}
    file.write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"costs\['LGD'\].timings is 'fast', and must be a list"):
        read_results(file)
