"""A damaged record of a run fails its own cell, in a sentence, and no other."""

import json

import pytest

from lgd_mm.errors import UserError
from lgd_mm.suite.record import read_record

DAMAGED = {
    'empty': b'', 'half': b'{"hash": "a"', 'bytes': b'\xff\xfe\x00', 'digits': b'9' * 5000, 'list': b'[]',
    'nothing': b'null', 'text': b'"a"', 'no keys': b'{}', 'nested': b'[' * 100_000, 'zeros': bytes(100),
    'seconds': b'{"hash": "a", "done": false, "seconds": NaN}', 'done': b'{"hash": "a", "done": 1, "seconds": 0}',
    'hash': b'{"hash": {}, "done": false, "seconds": 0}', 'deep': b'{"hash": ' * 50_000,
    'large': b'{"hash": "a", "done": true, "seconds": 1' + b'0' * 400 + b'}'}


@pytest.mark.parametrize('content', DAMAGED.values(), ids=DAMAGED)
def test_what_is_damaged(tmp_path, content):
    (tmp_path / 'run.json').write_bytes(content)
    with pytest.raises(UserError, match=r'run\.json is damaged \(.{1,120}\): delete it, and the same command runs it'):
        read_record(tmp_path / 'run.json')


def test_what_is_no_file(tmp_path):
    assert read_record(tmp_path / 'run.json') is None
    (tmp_path / 'run.json').mkdir()
    with pytest.raises(UserError, match=r'is damaged \(Is a directory\)'):
        read_record(tmp_path / 'run.json')


PARTS = [dict(metrics=[]), dict(metrics=None), dict(seed='0'), dict(seed=True), dict(command=5), dict(work_dir=None),
         dict(versions=5), dict(versions={'torch': ['2']}), dict(machine={'gpu': {}}), dict(images_per_second='fast'),
         dict(images_per_second=float('nan')), dict(peak_memory_mb=10**400), dict(memory_of=1), dict(entry=None),
         dict(seconds='1'), dict(metrics={'accuracy/top1': 'good'}), dict(metrics={'accuracy/top1': float('nan')}),
         dict(metrics={'accuracy/top1': float('inf')}), dict(metrics={'accuracy/top1': None}),
         dict(metrics={'accuracy/top1': 10**400}), dict(metrics={'accuracy/top1': [1]}),
         dict(metrics={'accuracy/top1': True}), dict(metrics={})]


def test_one_damaged_row_leaves_the_others(fake):
    """The suite ends; then, with the record deleted as it is told, the row is made anew."""
    fake.settings['seeds'] = [0, 1]
    runner = fake.runner(names=['one'])
    runner.run()
    path = fake.folder / 'runs/random/seed0/one/run.json'
    whole = json.loads(path.read_text())
    for content in [json.dumps(whole | part).encode() for part in PARTS] + [DAMAGED['half'], DAMAGED['nested']]:
        path.write_bytes(content)
        results = fake.runner(names=['one']).run()
        errors = {(cell['entry'], cell['task']): cell['error'] for cell in results['cells']}
        assert {key for key, error in errors.items() if error} == {('random', 'one')}, content[:300]
        told = errors['random', 'one']
        assert told.startswith('seed 0: ') and 'Error:' not in told and len(told) < 400, told
        assert str(path) in told and 'delete' in told or 'ended without measuring' in told, told
        assert path.read_bytes() == content
    path.unlink()
    assert not any(cell['error'] for cell in fake.runner(names=['one']).run()['cells'])


def test_what_is_no_number_is_no_figure(fake):
    """Such as the NaN of a network whose weights are lost."""
    fake.settings['tasks'] = [fake.task('one', options=['figure=nan']), fake.task('two')]
    for _ in range(2):
        results = fake.runner(seeds=[0, 1]).run()
        told = {(cell['entry'], cell['task']): cell['error'] or '' for cell in results['cells']}
        assert 'it measured nan as accuracy/top1, which is no figure: see' in told['random', 'one']
        assert told['LGD', 'two'] == ''
