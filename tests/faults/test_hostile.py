"""Damaged and malicious files; ``hostile.py`` makes as many as one likes."""

import pytest

from tests.faults.hostile import KINDS, attack


@pytest.mark.parametrize('kind', KINDS)
def test_nothing_runs_and_everything_is_told(kind):
    assert attack(kind, count=100, seed=1) == []
