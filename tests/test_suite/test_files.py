"""The files of a suite: those of earlier versions are read, damaged ones are refused in a sentence."""

import json
import math
from pathlib import Path

import pytest

from lgd_mm.errors import UserError
from lgd_mm.suite.compare import compare
from lgd_mm.suite.files import Damaged, finite, read_record, read_results, write
from lgd_mm.suite.schema import VERSION, Figure, Machine, Record, Start
from tests.test_suite.made_up import MACHINE, cell, metric, results
from tests.tiny import ROOT

#: As version 1 wrote them.
RECORD = dict(hash='0a', done=True, seconds=2.5, entry='LGD', task='probe', seed=0, command='tools/train.py c.py',
              work_dir='runs/lgd', metrics={'top-1': 50.0, 'loss': math.nan}, images_per_second=None,
              peak_memory_mb=812, memory_of='process', versions={'torch': '2.11.0'}, machine=MACHINE)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / 'some.json'


@pytest.mark.parametrize('name', ['text_control', 'rivals', 'ablation', 'speed'])
def test_results_of_version_1(name: str) -> None:
    """Their standard deviations were called spread."""
    path = ROOT / 'docs/results' / name / 'results.json'
    content = json.loads(path.read_text())
    found = read_results(path)
    assert found.version == 1
    for new, old in zip(found.cells, content['cells'], strict=True):
        assert new.metrics == {
            key: Figure(figure['mean'], figure['spread'], figure['values'])
            for key, figure in old['metrics'].items()}
    assert vars(found.machine) == content['machine'] and found.versions == content['versions']
    assert {pair.difference for pair in compare(found, found).pairs} == {0.0}


def test_what_is_written_is_read(file: Path) -> None:
    made = results({'probe': [metric('top-1')]}, ['A'], [cell('A', 'probe', {'top-1': (20.0, None)}, seeds=(4, ))])
    made.cells[0].metrics['error'] = None
    write(file, made)
    assert read_results(file) == made
    assert json.loads(file.read_text())['version'] == made.version == VERSION == 3
    write(file, Start('0a', 1.5, version=VERSION))
    assert read_record(file) == Start('0a', 1.5, version=VERSION)


def test_records_of_version_1(file: Path) -> None:
    """They may hold NaN, which JSON has not; those of unfinished runs have three keys."""
    file.write_text(json.dumps(RECORD))
    record = read_record(file)
    assert isinstance(record, Record) and record.machine == Machine(**MACHINE) and record.version == 1
    assert record.metrics == {'top-1': 50.0, 'loss': None}
    file.write_text('{"hash": "0a", "done": false, "seconds": 3}')
    assert read_record(file) == Start('0a', 3)


def test_numbers_that_are_none() -> None:
    assert finite(dict(a=1, b=math.nan, c=-math.inf, d=1e300, e=10**400, f=2.0**53)) == dict(
        a=1, b=None, c=None, d=None, e=None, f=2.0**53)


@pytest.mark.parametrize('change, message', [
    (dict(hash=7), "hash is 7, and must be a string"),
    (dict(seconds=math.nan), 'seconds is nan, and must be a number between -2**53 and 2**53'),
    (dict(seconds=True), 'seconds is True, and must be a number'),
    (dict(seconds=10**400), 'seconds is 1000'),
    (dict(seed=0.5), 'seed is 0.5, and must be a whole number'),
    (dict(metrics=[]), 'metrics is [], and must be an object'),
    (dict(metrics={'top-1': '50'}), "metrics['top-1'] is '50', and must be a number"),
    (dict(machine=None), 'machine is None, and must be an object'),
    (dict(machine=dict(threads=[1])), 'machine.threads is [1], and must be a whole number'),
    (dict(versions=dict(torch=2)), "versions['torch'] is 2, and must be a string"),
    (dict(version=VERSION + 1), 'by a later version of lgd_mm (its version is 4, and this one reads up to 3): update'),
    (dict(version='2'), "version is '2', and must be a whole number"),
    (dict(done=1), 'done is 1, and must be true or false'),
    (dict(seed='0'), "seed is '0', and must be a whole number"),
    (dict(seed=True), 'seed is True, and must be a whole number'),
    (dict(command=5), 'command is 5, and must be a string'),
    (dict(work_dir=None), 'work_dir is None, and must be a string'),
    (dict(entry=None), 'entry is None, and must be a string'),
    (dict(metrics=None), 'metrics is None, and must be an object'),
    (dict(metrics={'a': [1]}), "metrics['a'] is [1], and must be a number"),
    (dict(metrics={'a': True}), "metrics['a'] is True, and must be a number"),
    (dict(versions={'torch': ['2']}), "versions['torch'] is ['2'], and must be a string"),
    (dict(machine={'gpu': {}}), 'machine.gpu is {}, and must be a string'),
    (dict(images_per_second='fast'), "images_per_second is 'fast', and must be a number"),
    (dict(images_per_second=math.nan), 'images_per_second is nan, and must be a number'),
    (dict(peak_memory_mb=10**400), 'peak_memory_mb is 1000'),
    (dict(memory_of=1), 'memory_of is 1, and must be a string'),
])
def test_damaged_records(file: Path, change: dict, message: str) -> None:
    file.write_text(json.dumps(RECORD | change))
    with pytest.raises(Damaged) as caught:
        read_record(file)
    told = str(caught.value)
    assert told.startswith(f'{file}') and message in told and '\n' not in told and len(told) < len(str(file)) + 300


@pytest.mark.parametrize('content', [b'', b'{"hash": "0a", "done', b'null', b'[[]]', b'"x"', b'{}', b'\xff\xfe{',
                                     b'\x80', b'[' * 100_000, b'{"seconds": 1' + b'0' * 5000 + b'}',
                                     b'{"hash": "\\ud800"}', bytes(100), b'9' * 5000, b'{"hash": ' * 50_000])
def test_files_that_are_no_record(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    for read in read_record, read_results:
        with pytest.raises(UserError, match='some.json') as caught:
            read(file)
        assert '\n' not in str(caught.value)


@pytest.mark.parametrize('path, value, message', [
    (['cells', 0, 'metrics', 'top-1', 'mean'], math.nan, "cells[0].metrics['top-1'].mean is nan, and must be a number"),
    (['cells', 0, 'metrics', 'top-1', 'std'], math.inf, "cells[0].metrics['top-1'].std is inf, and must be a number"),
    (['cells', 0, 'metrics', 'top-1', 'values'], [1, None], "cells[0].metrics['top-1'].values[1] is None, and must be"),
    (['cells', 0, 'metrics', 'top-1'], 3, "cells[0].metrics['top-1'] is 3, and must be an object"),
    (['cells', 0, 'state'], 'good', "cells[0].state is 'good', and must be 'done' or 'failed' or 'not run'"),
    (['cells', 0, 'hashes'], [], 'cells[0] has n = 3 and 0 hashes'),
    (['cells', 0, 'entry'], 'B', "it has no entry 'B', of which cells[0] is"),
    (['tasks', 0, 'metrics', 0, 'better'], 'max', "tasks[0].metrics[0].better is 'max', and must be 'higher' or"),
    (['entries', 0, 'without'], 'probe', "entries[0].without is 'probe', and must be a list"),
    (['machine'], [], 'machine is [], and must be an object'),
    (['title'], ['x' * 1000], 'title is ['),
])
def test_damaged_results(file: Path, path: list, value: object, message: str) -> None:
    write(file, results({'probe': [metric('top-1')]}, ['A'], [cell('A', 'probe', {'top-1': (20.0, 1.0)})]))
    content = json.loads(file.read_text())
    node = content
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    file.write_text(json.dumps(content))
    with pytest.raises(UserError) as caught:
        read_results(file)
    told = str(caught.value)
    assert told.startswith(f'{file}: {message}') and told.endswith('from the runs that are done')
    assert len(told) < len(str(file)) + 300


def test_records_that_cannot_be_read(file: Path) -> None:
    assert read_record(file) is None
    file.mkdir()
    with pytest.raises(UserError, match=r'cannot be read \(Is a directory\): .* move it away') as caught:
        read_record(file)
    assert not isinstance(caught.value, Damaged)


def test_a_figure_is_named_as_before_or_as_now(file: Path) -> None:
    write(file, results({'probe': [metric('top-1')]}, ['A'], [cell('A', 'probe', {'top-1': (20.0, 1.0)})]))
    file.write_text(file.read_text().replace('"std"', '"spread"').replace(' "version": 3', ' "of a later day": 3'))
    found = read_results(file)
    assert found.version == 1 and found.cells[0].metrics['top-1'] == Figure(20.0, 1.0, [21.0, 19.0, 20.0])


def test_results_of_version_1_with_nan(file: Path) -> None:
    """They may hold the figure of a run that diverged."""
    write(file, results({'probe': [metric('top-1')]}, ['A'], [cell('A', 'probe', {'top-1': (20.0, 1.0)})]))
    text = file.read_text().replace('20.0', 'NaN').replace('"std"', '"spread"')
    file.write_text(text.replace(' "version": 3', ' "x": 3'))
    assert read_results(file).cells[0].metrics == {'top-1': None}
