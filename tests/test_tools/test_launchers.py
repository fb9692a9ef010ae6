"""The shell scripts hand their arguments on as users of OpenMMLab know them."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.processes import SIGNALS
from tests.tiny import ROOT


@pytest.fixture
def recorded(tmp_path):
    """A ``python`` and an ``srun`` that print their arguments; the python claims three GPUs when asked."""
    for name in ('python', 'srun'):
        path = tmp_path / name
        path.write_text(
            '#!/usr/bin/env bash\n[[ "$*" == *device_count* ]] && { echo "${FAKE_GPUS:-3}"; exit; }\n'
            '[[ "$*" == *socket* ]] && { echo 12345; exit; }\n'
            f'printf "%s\\n" {name} "$@" "OMP=${{OMP_NUM_THREADS:-}}"\n')
        path.chmod(0o755)

    def run(script, *arguments, **env):
        environment = {key: value for key, value in os.environ.items() if key not in ('PYTHON', 'OMP_NUM_THREADS')}
        environment.update(PATH=f'{tmp_path}:{os.environ["PATH"]}', **env)
        return subprocess.run(['bash', str(ROOT / 'tools' / script), *arguments], cwd=tmp_path, env=environment,
                              capture_output=True, text=True)

    return run


def test_dist_train(recorded):
    """From another folder, several machines, arguments behind."""
    done = recorded('dist_train.sh', 'my config.py', '2', '--amp', NNODES='2', NODE_RANK='1', MASTER_ADDR='10.0.0.1',
                    PORT='29999')
    assert done.stdout.splitlines()[:-1] == [
        'python', '-m', 'torch.distributed.run', '--nnodes=2', '--node_rank=1', '--master_addr=10.0.0.1',
        '--master_port=29999', '--nproc_per_node=2', '--max-restarts=0', SIGNALS,
        str(ROOT / 'tools' / 'train.py'), 'my config.py', '--amp', '--launcher', 'pytorch'
    ]


def test_dist_test(recorded):
    """One machine, any free port, a share of the cores for each process."""
    done = recorded('dist_test.sh', 'config.py', 'epoch_1.pth', '1')
    lines = done.stdout.splitlines()
    assert lines[3:10] == ['--nnodes=1', '--node_rank=0', '--master_addr=127.0.0.1', '--master_port=12345',
                           '--nproc_per_node=1', '--max-restarts=0', SIGNALS]
    assert lines[10:-1] == [str(ROOT / 'tools' / 'test.py'), 'config.py', 'epoch_1.pth', '--launcher', 'pytorch']
    assert lines[-1] == f'OMP={len(os.sched_getaffinity(0))}'


def test_slurm_train(recorded):
    """PARTITION JOB CONFIG WORK_DIR, then arguments of train.py."""
    done = recorded('slurm_train.sh', 'gpu', 'lgd', 'config.py', 'run', '--resume', GPUS='4', SRUN_ARGS='--quiet --x=1')
    assert done.stdout.splitlines()[:-1] == [
        'srun', '-p', 'gpu', '--job-name=lgd', '--gres=gpu:4', '--ntasks=4', '--ntasks-per-node=4', '--cpus-per-task=5',
        '--kill-on-bad-exit=1', '--quiet', '--x=1', 'python', '-u', str(ROOT / 'tools' / 'train.py'), 'config.py',
        '--work-dir', 'run', '--resume', '--launcher', 'slurm'
    ]


def test_slurm_test(recorded):
    """PARTITION JOB CONFIG CHECKPOINT, more than a machine."""
    done = recorded('slurm_test.sh', 'gpu', 'lgd', 'config.py', 'epoch_1.pth', GPUS='16')
    lines = done.stdout.splitlines()
    assert lines[4:7] == ['--gres=gpu:8', '--ntasks=16', '--ntasks-per-node=8']
    assert lines[-5:-1] == ['config.py', 'epoch_1.pth', '--launcher', 'slurm']


@pytest.mark.parametrize(('arguments', 'sentence'), [
    (('config.py', '4'), '4 GPUs were asked for, but this machine has 3: give 3 or fewer'),
    (('config.py', '--amp'), "GPUS is '--amp', it must be a number from 1"),
    (('config.py', '0'), "GPUS is '0', it must be a number from 1"),
    (('config.py', ), 'usage: tools/dist_train.sh CONFIG GPUS'),
])
def test_wrong_number_of_gpus(recorded, arguments, sentence):
    """One sentence, before any process starts."""
    done = recorded('dist_train.sh', *arguments)
    assert done.returncode == 2 and done.stdout == ''
    assert done.stderr.startswith(f'error: {sentence}') and done.stderr.count('\n') == 1


def test_without_gpus_they_are_processes(recorded):
    """Any number."""
    done = recorded('dist_train.sh', 'config.py', '4', FAKE_GPUS='0')
    assert '--nproc_per_node=4' in done.stdout.splitlines()


@pytest.mark.parametrize('script', sorted((ROOT / 'tools').glob('*.sh')), ids=lambda path: path.name)
def test_scripts_are_executable(script):
    """They are typed as commands."""
    assert os.access(script, os.X_OK), Path(script).name
