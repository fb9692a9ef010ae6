"""The counts of docs/security.md are those of the tests."""

import re
from pathlib import Path

from tests.test_security.entries import Entries
from tests.test_security.payloads import files, teachers
from tests.test_security.test_teachers import ASKED
from tests.tiny import ROOT

ROW = re.compile(r'^\|[^|]*\| (\d+) \| (\d+) \| (\d+) \|$', re.MULTILINE)


def test_counts_are_those_of_the_tests(tmp_path):
    written = len(files(tmp_path / 'marker', tmp_path))
    entries = Entries(tmp_path, tmp_path)
    expected = [(len(entries.of_files()), written), (len(entries.of_folders()), written),
                (2, len(teachers(Path('x')))), (1, len(ASKED) + 1)]
    told = [tuple(map(int, row)) for row in ROW.findall((ROOT / 'docs/security.md').read_text(encoding='utf-8'))]
    assert told == [(count, kinds, count * kinds) for count, kinds in expected]
