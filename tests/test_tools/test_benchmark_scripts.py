"""The benchmark scripts take the arguments that users of mmselfsup know, and start this package's own tools."""

import os
import subprocess

import pytest

from tests.tiny import ROOT

FOLDER = ROOT / 'tools' / 'benchmarks'
STUDENT, CHECKPOINT = 'work_dirs/r18_pretrain/student.safetensors', 'run/epoch_12.pth'
OPTIONS = ['--cfg-options', 'model.x=a b']


@pytest.fixture
def started(tmp_path):
    """Runs a script with a ``python`` and an ``srun`` that print their arguments; there are eight GPUs."""
    for name in ('python', 'srun'):
        path = tmp_path / name
        path.write_text('#!/usr/bin/env bash\n[[ "$*" == *device_count* ]] && { echo 8; exit; }\n'
                        f'[[ "$*" == *socket* ]] && {{ echo 12345; exit; }}\nprintf "%s\\n" {name} "$@"\n')
        path.chmod(0o755)

    def run(script, *arguments, **env):
        environment = {key: value for key, value in os.environ.items() if key not in ('PYTHON', 'GPUS')}
        environment.update(PATH=f'{tmp_path}:{os.environ["PATH"]}', **env)
        return subprocess.run([str(FOLDER / script), *arguments], cwd=tmp_path, env=environment, capture_output=True,
                              text=True)

    return run


def tool_call(done):
    """How many processes, and the tool with its arguments."""
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    place = next(index for index, line in enumerate(lines) if line.endswith(('/train.py', '/test.py')))
    [count] = [line.split('=')[1] for line in lines if line.startswith(('--nproc_per_node=', '--ntasks='))]
    assert (ROOT / 'tools' / lines[place].rsplit('/', 1)[1]).samefile(lines[place])
    return int(count), lines[place].rsplit('/', 1)[1], lines[place + 1:]


@pytest.mark.parametrize(('library', 'config'), [('mmdetection', 'configs/coco/mask-rcnn_r18_fpn_1x_coco.py'),
                                                 ('mmsegmentation', 'configs/ade20k/upernet_r18_80k.py')])
def test_dist(started, library, config):
    """CONFIG PRETRAIN GPUS and CONFIG CHECKPOINT GPUS."""
    name = config.split('/')[-1].removesuffix('.py')
    assert tool_call(started(f'{library}/mim_dist_train.sh', config, STUDENT, '4', *OPTIONS)) == (4, 'train.py', [
        config, '--student', STUDENT, '--work-dir', f'work_dirs/{name}/r18_pretrain/student', *OPTIONS, '--launcher',
        'pytorch'
    ])
    assert tool_call(started(f'{library}/mim_dist_test.sh', config, CHECKPOINT, '2', *OPTIONS)) == (
        2, 'test.py', [config, CHECKPOINT, *OPTIONS, '--launcher', 'pytorch'])


@pytest.mark.parametrize(('library', 'gpus'), [('mmdetection', 8), ('mmsegmentation', 4)])
def test_slurm(started, library, gpus):
    """PARTITION CONFIG PRETRAIN and PARTITION CONFIG CHECKPOINT; GPUS is set in the environment."""
    done = started(f'{library}/mim_slurm_train.sh', 'gpu', 'configs/a.py', STUDENT, *OPTIONS)
    assert tool_call(done) == (gpus, 'train.py', [
        'configs/a.py', '--work-dir', 'work_dirs/a/r18_pretrain/student', '--student', STUDENT, *OPTIONS, '--launcher',
        'slurm'
    ])
    assert done.stdout.splitlines()[:4] == ['srun', '-p', 'gpu', '--job-name=a']
    done = started(f'{library}/mim_slurm_test.sh', 'gpu', 'configs/a.py', CHECKPOINT, GPUS='2')
    assert tool_call(done) == (2, 'test.py', ['configs/a.py', CHECKPOINT, '--launcher', 'slurm'])


def test_classification(started):
    """CONFIG PRETRAIN, and under Slurm PARTITION JOB CONFIG PRETRAIN."""
    trained = ['linear.py', '--student', STUDENT, '--work-dir', 'work_dirs/linear/r18_pretrain/student', '--launcher',
               'pytorch']
    assert tool_call(started('classification/dist_train_linear.sh', 'linear.py', STUDENT)) == (8, 'train.py', trained)
    done = started('classification/dist_train_linear.sh', 'linear.py', STUDENT, GPUS='2')
    assert tool_call(done) == (2, 'train.py', trained)
    done = started('classification/slurm_train_linear.sh', 'gpu', 'probe', 'linear.py', STUDENT)
    assert done.stdout.splitlines()[3] == '--job-name=probe' and tool_call(done)[:2] == (8, 'train.py')
    assert tool_call(started('classification/mim_dist_test.sh', 'linear.py', CHECKPOINT))[2][:2] == [
        'linear.py', CHECKPOINT]
    assert tool_call(started('classification/mim_slurm_test.sh', 'gpu', 'linear.py', CHECKPOINT))[2][:2] == [
        'linear.py', CHECKPOINT]


@pytest.mark.parametrize('script', sorted(FOLDER.glob('*/*.sh')), ids=lambda path: f'{path.parent.name}-{path.stem}')
def test_a_missing_argument_is_told(started, script):
    """The usage in one line, which is also the script's own comment; nothing is started."""
    done = started(script.relative_to(FOLDER), 'one')
    assert done.returncode == 2 and done.stdout == ''
    [line] = done.stderr.splitlines()
    assert line.startswith(f'error: usage: {script} ')
    names = line.removeprefix(f'error: usage: {script} ').removesuffix(' [more]')
    assert f'{script.relative_to(ROOT)} {names} [arguments of tools/' in script.read_text()
