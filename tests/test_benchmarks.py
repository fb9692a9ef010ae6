"""The scripts of benchmarks/ run, each form once; what they assert about the forms' agreement holds."""

import importlib
import json
import os
from pathlib import Path

import pytest
import torch

from tests.processes import run_program

SCRIPTS = Path(__file__).parents[1] / 'benchmarks'


@pytest.fixture
def threads():
    count = torch.get_num_threads()
    yield
    torch.set_num_threads(count)


@pytest.mark.slow
@pytest.mark.parametrize('name', ['bank', 'teacher', 'step', 'dense', 'data', 'epoch', 'evaluation', 'downstream'])
def test_every_form_runs(name, monkeypatch, threads):
    monkeypatch.setenv('LGD_CACHE_DIR', '')  # the scripts set it: this puts it back
    monkeypatch.setenv('LGD_BENCHMARK_BATCH', '2')
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setattr('models.SIZE', 64)  # which RN50 in bfloat16 takes a minute for on a CPU
    for case in importlib.import_module(name).cases(True):
        assert case.baseline in case.forms and len(case.forms) > 1
        for run in case.forms.values():
            run()


def test_rows(tmp_path):
    command = [str(SCRIPTS / 'scaling.py'), '--quick', '--rounds', '2', '--json', str(tmp_path / 'rows')]
    done = run_program(command, tmp_path, os.environ)
    assert done.returncode == 0, done.stderr[-2000:]
    written = json.loads((tmp_path / 'rows').read_text())
    assert {'processor', 'threads'} <= written['machine'].keys()
    assert [(row['baseline'], row['form'], row['n']) for row in written['rows']] == [
        ('B = 512', 'B = 2,048', 2), ('C = 1,000', 'C = 10,000', 2)]
    assert all(row['ratio'] > 0 and row['spread'] >= 0 for row in written['rows'])


@pytest.mark.slow
def test_streaming_counts_what_a_stop_changes(tmp_path, monkeypatch):
    """Of this package's own reader, which keeps the order, and of one that forgets where it was."""
    monkeypatch.setenv('LGD_CACHE_DIR', str(tmp_path / 'cache'))
    monkeypatch.syspath_prepend(str(SCRIPTS))
    readers, questions = map(importlib.import_module, ('streaming_readers', 'streaming_libraries'))
    data = tmp_path / 'data'
    data.mkdir()
    readers.write(data, 256, 100)
    monkeypatch.setattr(questions, 'OTHERS', ((2, 1), ))
    monkeypatch.setattr(questions, 'GO_ON', ((1, 1), ))
    assert questions.orders(readers.lgd_mm, data) == ['4 of 4']
    assert questions.resumed(readers.lgd_mm, data, 1) == ['3 of 3; 0; 0']

    def forgetful(*arguments, state=None):
        return readers.lgd_mm(*arguments[:4])

    assert questions.resumed(forgetful, data, 1) == ['0 of 3; 64; 0']
