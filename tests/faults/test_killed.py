"""SIGKILL at random moments; ``killed.py`` does it as often as one likes."""

import pytest

from tests.processes import run_program
from tests.tiny import ROOT


@pytest.mark.slow
@pytest.mark.parametrize('processes', [1, 2])
def test_killed_at_random_moments(processes):
    command = [str(ROOT / 'tests/faults/killed.py'), '--kills', '2', '--processes', str(processes), '--epochs', '3',
               '--seed', '440']  # with kills of both kinds, soon after one another, and of either process
    done = run_program(command, ROOT, dict(OMP_NUM_THREADS='1', PATH='', HOME='/nowhere', PYTHONPATH=str(ROOT)))
    assert done.returncode == 0, done.stderr[-2000:]
    assert f'{processes} process(es): the same bits as undisturbed' in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize('more', [[], ['--cached']])
def test_killed_while_it_reads_from_a_flaky_store(more):
    command = [str(ROOT / 'tests/faults/killed.py'), '--kills', '1', '--processes', '2', '--epochs', '3', '--store']
    command += more
    done = run_program(command, ROOT, dict(OMP_NUM_THREADS='1', PATH='', HOME='/nowhere', PYTHONPATH=str(ROOT)))
    assert done.returncode == 0, done.stderr[-2000:]
    assert '2 process(es), from a flaky store' in done.stdout and 'the same bits as undisturbed' in done.stdout
