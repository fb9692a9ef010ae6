"""The templates for clusters: valid by the schemas of their tools, and what they start is the command of a user."""

import copy
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.tiny import ROOT, write_images, write_lgd_config

CLUSTER = ROOT / 'tools' / 'cluster'
SCHEMAS = Path(__file__).parent / 'cluster_schemas'
#: What a python answers that is asked for its GPUs.
GPUS = '[[ "$*" == *device_count* ]] && { echo 8; exit; }'
#: A stopped run ends so: 128 and the number of the signal.
STOPPED = 128 + signal.SIGUSR1


@pytest.fixture
def checkout(tmp_path):
    """A checkout with an environment, and programs that write down how they were called."""
    (tmp_path / 'tools').symlink_to(ROOT / 'tools')
    (tmp_path / '.venv/bin').mkdir(parents=True)
    (tmp_path / '.venv/bin/activate').write_text('')
    program(tmp_path, 'python', f'{GPUS}\nprintf "%s\\n" "$@" > python.called')
    program(tmp_path, 'scontrol', 'echo "$@" > scontrol.called')
    return tmp_path


def program(folder, name, text):
    path = folder / 'bin' / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/usr/bin/env bash\n{text}\n')
    path.chmod(0o755)


def started(checkout, command, **variables):
    environment = {key: value for key, value in os.environ.items() if key != 'PYTHON'}
    environment.update(PATH=f'{checkout}/bin:{os.environ["PATH"]}', **variables)
    return subprocess.Popen(command, cwd=checkout, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True)


def called(checkout, name):
    """The arguments that a program was called with; None if it was not."""
    path = checkout / f'{name}.called'
    return path.read_text().splitlines() if path.exists() else None


def directives():
    """The options in the batch script, as sbatch reads them."""
    found = re.findall(r'^#SBATCH --([a-z-]+)(?:=(.*))?$', (CLUSTER / 'slurm.sbatch').read_text(), re.MULTILINE)
    assert len(found) == (CLUSTER / 'slurm.sbatch').read_text().count('\n#SBATCH')
    return dict(found)


def submitted(checkout, *arguments, srun):
    """What sbatch does: a copy of the script runs in the folder of submission, and its options are variables."""
    program(checkout, 'srun', f'printf "%s\\n" "$@" > srun.part; mv srun.part srun.called\n{srun}')
    options = directives()
    copied = checkout / 'slurm_script'
    copied.write_text((CLUSTER / 'slurm.sbatch').read_text())
    return started(checkout, ['bash', str(copied), *arguments], SLURM_JOB_ID='7', SLURM_JOB_NAME=options['job-name'],
                   SLURM_JOB_PARTITION=options['partition'], SLURM_JOB_NUM_NODES=options['nodes'],
                   SLURM_NTASKS_PER_NODE=options['ntasks-per-node'], SLURM_CPUS_PER_TASK=options['cpus-per-task'])


def told_to_stop(checkout, job):
    """The script alone is told, once srun is there."""
    end = time.monotonic() + 60
    while called(checkout, 'srun') is None and time.monotonic() < end:
        time.sleep(0.01)
    job.send_signal(signal.SIGUSR1)
    return job.communicate(timeout=60)


def test_slurm_starts_the_command_of_a_user(checkout):
    job = submitted(checkout, 'a config.py', 'runs/a', '--amp', '--cfg-options', 'x=1', srun='exit 0')
    assert job.communicate(timeout=60) == ('', '') and job.returncode == 0
    assert called(checkout, 'srun') == [
        '-p', 'gpu', '--job-name=lgd', '--gres=gpu:8', '--ntasks=16', '--ntasks-per-node=8', '--cpus-per-task=8',
        '--kill-on-bad-exit=1', 'python', '-u', 'tools/train.py', 'a config.py', '--work-dir', 'runs/a', '--amp',
        '--cfg-options', 'x=1', '--resume', '--launcher', 'slurm'
    ]
    assert called(checkout, 'scontrol') is None


def test_slurm_queues_again_what_its_time_has_stopped(checkout):
    """The signal reaches srun, and the job waits until the run has saved itself."""
    job = submitted(checkout, 'config.py', 'run',
                    srun=f'trap "sleep 0.5; touch saved; exit {STOPPED}" USR1; while :; do sleep 0.05; done')
    told_to_stop(checkout, job)
    assert (checkout / 'saved').exists() and called(checkout, 'scontrol') == ['requeue 7']


@pytest.mark.parametrize('status', [0, 2])
def test_slurm_does_not_queue_again_what_has_ended(checkout, status):
    """A run that came to its end, or failed, after it was told."""
    job = submitted(checkout, 'config.py', 'run', srun=f'trap "exit {status}" USR1; while :; do sleep 0.05; done')
    told_to_stop(checkout, job)
    assert job.returncode == status and called(checkout, 'scontrol') is None


@pytest.mark.parametrize('status', [2, STOPPED])
def test_slurm_queues_nothing_without_its_signal(checkout, status):
    job = submitted(checkout, 'config.py', 'run', srun=f'exit {status}')
    job.communicate(timeout=60)
    assert job.returncode == status and called(checkout, 'scontrol') is None


def test_slurm_tells_what_is_missing(checkout):
    job = submitted(checkout, 'config.py', srun='exit 0')
    assert job.communicate(timeout=60)[1].startswith('error: usage: sbatch tools/cluster/slurm.sbatch CONFIG WORK_DIR')
    assert job.returncode == 2 and called(checkout, 'srun') is None


def test_slurm_may_be_queued_again_and_keeps_its_log():
    options = directives()
    assert options['signal'] == 'B:USR1@120' and options['open-mode'] == 'append' and 'requeue' in options
    assert options['gres'] == f'gpu:{options["ntasks-per-node"]}'


def read(name):
    """A template, and the schema of its tool."""
    return (yaml.safe_load((CLUSTER / f'{name}.yaml').read_text()), json.loads((SCHEMAS / f'{name}.json').read_text()))


@pytest.mark.parametrize(('name', 'place'), [
    ('skypilot', []), ('skypilot', ['resources']), ('skypilot', ['file_mounts', '/runs']), ('pytorchjob', ['spec']),
    ('pytorchjob', ['spec', 'runPolicy']), ('pytorchjob', ['spec', 'pytorchReplicaSpecs', 'Worker']),
    ('pytorchjob', ['spec', 'pytorchReplicaSpecs', 'Master', 'template', 'spec', 'containers', 0]),
    ('pytorchjob', ['spec', 'pytorchReplicaSpecs', 'Master', 'template', 'spec', 'volumes', 2, 'emptyDir']),
])
def test_yaml_is_valid(name, place):
    """By the schema, which would see a key that is spelt wrongly."""
    template, schema = read(name)
    jsonschema.validate(template, schema)
    wrong = part = copy.deepcopy(template)
    for key in place:
        part = part[key]
    part['speling'] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def torchrun(checkout):
    """What torchrun was started with: its options, and the arguments of the tool."""
    words = called(checkout, 'python')
    place = next(index for index, word in enumerate(words) if word.endswith('train.py'))
    return dict(word.lstrip('-').split('=', 1) for word in words[2:place]), words[place + 1:]


ARGUMENTS = ['--amp', '--resume', '--cfg-options', 'train_dataloader.dataset.data_root=/images', '--launcher',
             'pytorch']


def test_skypilot_starts_the_command_of_a_user(checkout):
    """On the second of two machines."""
    task, _ = read('skypilot')
    job = started(checkout, ['bash', '-c', task['run']], SKYPILOT_NUM_NODES='2', SKYPILOT_NODE_RANK='1',
                  SKYPILOT_NODE_IPS='10.0.0.1\n10.0.0.2', SKYPILOT_NUM_GPUS_PER_NODE='8')
    assert job.communicate(timeout=60) == ('', '') and job.returncode == 0
    options, arguments = torchrun(checkout)
    assert options | dict(nnodes='2', node_rank='1', master_addr='10.0.0.1', master_port='29500',
                          nproc_per_node='8') == options
    assert arguments == ['configs/lgd/r18_pretrain.py', '--work-dir', '/runs/r18', *ARGUMENTS]
    assert task['resources']['use_spot'] and {'/images', '/runs'} == task['file_mounts'].keys()


def pods():
    """The containers of a job, with the volumes of their pods."""
    for replica in read('pytorchjob')[0]['spec']['pytorchReplicaSpecs'].values():
        assert replica['restartPolicy'] == 'OnFailure'
        [container] = replica['template']['spec']['containers']
        yield container, {volume['name']: volume for volume in replica['template']['spec']['volumes']}


def test_pytorchjob_starts_the_command_of_a_user(checkout):
    """On the second of two pods, with the variables of the operator."""
    for container, _ in pods():
        job = started(checkout, [*container['command'], *container['args']], PET_NNODES='2', PET_NODE_RANK='1',
                      MASTER_ADDR='lgd-master-0', MASTER_PORT='23456', RANK='1', WORLD_SIZE='2')
        assert job.communicate(timeout=60) == ('', '') and job.returncode == 0
        options, arguments = torchrun(checkout)
        gpus = container['resources']['limits']['nvidia.com/gpu']
        assert options | dict(nnodes='2', node_rank='1', master_addr='lgd-master-0', master_port='23456',
                              nproc_per_node=str(gpus)) == options
        assert arguments == ['configs/lgd/r18_pretrain.py', '--work-dir', '/work_dirs/r18', *ARGUMENTS]


def test_pytorchjob_passes_the_signal_on(checkout):
    """Kubernetes tells process 1 alone: it is torchrun by then."""
    program(checkout, 'python', f'{GPUS}\n'
            'trap "touch told; exit 1" TERM; touch python.called; while :; do sleep 0.05; done')
    container, _ = next(pods())
    job = started(checkout, [*container['command'], *container['args']], PET_NNODES='1', PET_NODE_RANK='0',
                  MASTER_PORT='23456')
    end = time.monotonic() + 60
    while called(checkout, 'python') is None and time.monotonic() < end:
        time.sleep(0.01)
    job.terminate()
    job.communicate(timeout=60)
    assert job.returncode == 1 and (checkout / 'told').exists()


@pytest.mark.nightly
@pytest.mark.slow
def test_pytorchjob_goes_on_after_a_pod_had_to_go(checkout):
    """Two pods on this machine, each with a CPU: one is told, both save the run and end, and begin again to end it."""
    (checkout / '.venv/bin/activate').write_text(f'PATH="{Path(sys.executable).parent}:$PATH"\n')
    write_images(checkout / 'images', 20)
    config = write_lgd_config(checkout, checkout / 'images', train_dataloader=dict(batch_size=2))
    hooks = [dict(type='lgd_mm.SignalHook', iteration=3, number=int(signal.SIGTERM), rank=1, launcher=True)]
    with config.open('a') as file:
        file.write(f'custom_hooks = {hooks}\ncustom_imports = dict(imports=["lgd_mm", "tests.faults.conftest"])\n')
    container, _ = next(pods())
    command = container['args'][0]
    for theirs, ours in {'configs/lgd/r18_pretrain.py 8': f'{config} 1', '/work_dirs/r18': f'{checkout}/run',
                         ' --amp': '', '=/images': f'={checkout}/images'}.items():
        assert theirs in command
        command = command.replace(theirs, ours)
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])

    def both():
        jobs = [started(checkout, [*container['command'], command], PET_NNODES='2', PET_NODE_RANK=rank,
                        MASTER_ADDR='127.0.0.1', MASTER_PORT=port, PYTHONPATH=str(ROOT), CUDA_VISIBLE_DEVICES='')
                for rank in '01']
        return [job.communicate(timeout=600)[1] for job in jobs], [job.returncode for job in jobs]

    told, codes = both()
    assert all(codes) and 'stopped by SIGTERM after iteration' in told[0], told
    assert (checkout / 'run/stopped.pth').is_file() and not (checkout / 'run/epoch_3.pth').exists()
    told, codes = both()
    assert codes == [0, 0] and (checkout / 'run/epoch_3.pth').is_file(), told


def test_pytorchjob_has_room_for_what_it_writes():
    for container, volumes in pods():
        places = {mount['mountPath']: volumes[mount['name']] for mount in container['volumeMounts']}
        assert places['/dev/shm']['emptyDir']['medium'] == 'Memory'
        assert 'persistentVolumeClaim' in places['/work_dirs'] and 'persistentVolumeClaim' in places['/images']
