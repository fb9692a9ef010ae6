"""SIGKILL at random moments; ``killed.py`` does it as often as one likes."""

import subprocess
import sys

import pytest

from tests.tiny import ROOT


@pytest.mark.parametrize('processes', [1, 2])
def test_killed_at_random_moments(processes):
    done = subprocess.run(
        [sys.executable, 'tests/faults/killed.py', '--kills', '3', '--processes', str(processes),
         '--epochs', '14'], cwd=ROOT,
        env={'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1', 'PATH': '', 'HOME': '/nowhere'}, capture_output=True,
        text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-2000:]
    assert f'{processes} process(es): the same bits as undisturbed' in done.stdout
