"""The counts of docs/reliability.md are those of the tests, as far as this run of pytest has collected them."""

import re
from collections import Counter

import pytest

from tests.conftest import COLLECTED
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


@pytest.fixture
def collected(pytestconfig) -> Counter[str]:
    """How many cases each test of the files has that were collected."""
    if any('::' in argument for argument in pytestconfig.args):
        pytest.skip('only parts of files were collected')
    return pytestconfig.stash[COLLECTED]


def test_counts_are_those_of_the_tests(collected):
    files = {test.partition('::')[0] for test in collected}
    known = [(tests, cases) for tests, cases in rows() if {test.partition('::')[0] for test in tests} <= files]
    assert {tuple(tests): cases for tests, cases in known} == {
        tuple(tests): str(sum(collected[test] for test in tests)) for tests, _ in known}


def test_every_test_has_one_row(collected):
    listed = Counter(test for tests, _ in rows() for test in tests)
    assert set(listed.values()) == {1}
    assert {test for test in collected if test.startswith(FAULTS)} <= set(listed)


def test_every_row_has_its_files():
    assert [test for tests, _ in rows() for test in tests
            if f'def {test.partition("::")[2]}(' not in (ROOT / test.partition('::')[0]).read_text('utf-8')] == []
