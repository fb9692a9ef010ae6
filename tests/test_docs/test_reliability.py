"""The counts of docs/reliability.md are those of the tests."""

import re
import subprocess
import sys
from collections import Counter

import pytest

from tests.tiny import ROOT

FAULTS = 'tests/faults/'
ROW = re.compile(r'^\|.*\| (?P<tests>[^|]*`test_[^|]*) \| (?P<cases>[^|]*) \|$', re.MULTILINE)


def rows() -> list[tuple[list[str], str]]:
    """``file::test`` of each row, and what it says of their number."""
    found = []
    for row in ROW.finditer((ROOT / 'docs/reliability.md').read_text(encoding='utf-8')):
        tests, file = [], ''
        for name in re.findall(r'`([\w./]+)`', row['tests']):
            if name.endswith('.py'):
                file = name if '/' in name else FAULTS + name
            else:
                tests.append(f'{file}::{name}')
        found.append((tests, row['cases']))
    return found


@pytest.fixture(scope='module')
def collected() -> Counter[str]:
    """How many cases each test has."""
    files = {test.partition('::')[0] for tests, _ in rows() for test in tests}
    done = subprocess.run([sys.executable, '-m', 'pytest', '--collect-only', '-q', FAULTS, *sorted(files)], cwd=ROOT,
                          capture_output=True, text=True)
    return Counter(line.partition('[')[0] for line in done.stdout.splitlines() if '::' in line)


def test_counts_are_those_of_the_tests(collected):
    assert {tuple(tests): cases for tests, cases in rows()} == {
        tuple(tests): str(sum(collected[test] for test in tests)) for tests, _ in rows()}


def test_every_test_has_one_row(collected):
    listed = Counter(test for tests, _ in rows() for test in tests)
    assert set(listed.values()) == {1} and set(listed) <= set(collected)
    assert {test for test in collected if test.startswith(FAULTS)} <= set(listed)
