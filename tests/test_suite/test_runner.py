"""A suite runs once, goes on where it stopped, tells what failed, and starts anew what has changed."""

import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from markupsafe import Markup

from lgd_mm.errors import UserError
from lgd_mm.runs import environment
from lgd_mm.suite.failure import failure_reason
from lgd_mm.suite.files import read_results
from lgd_mm.suite.launcher import Launcher
from lgd_mm.suite.plan import choose
from lgd_mm.suite.report import write_report
from lgd_mm.suite.run import Run
from lgd_mm.suite.schema import Figure
from lgd_mm.suite.table import notes, results_table


def states(results):
    return {(cell.entry, cell.task): cell.state for cell in results.cells}


def test_results_of_a_whole_suite(fake):
    results = fake.runner().run()
    assert read_results(fake.folder / 'runs/results.json') == results
    assert states(results) == {('random', 'one'): 'done', ('LGD', 'pre-training'): 'done', ('LGD', 'one'): 'done',
                               ('LGD', 'two'): 'done'}
    cell = results.cells[2]
    assert cell.metrics == {'accuracy/top1': Figure(50.5, pytest.approx(0.70711, abs=1e-5), [50.0, 51.0])}
    assert (cell.n, cell.seeds, cell.images_per_second, cell.memory_of) == (2, [0, 1], 32.0, 'process')
    assert cell.peak_memory_mb > 1 and cell.seconds > 0
    assert '--student' in cell.commands[0] and cell.versions['python'] == sys.version.split()[0]
    assert [task.metrics[0].title for task in results.tasks] == ['one top-1', 'two top-1']


def test_finished_runs_are_skipped(fake):
    fake.runner(seeds=[0]).run()
    before = {run: fake.record(run) for run in ('random/seed0/one', 'lgd/seed0/pre-training', 'lgd/seed0/two')}
    fake.runner().run()
    assert {run: fake.record(run) for run in before} == before
    assert not list(fake.folder.glob('runs/**/*.old*'))


def test_a_part_keeps_the_results_of_the_rest(fake):
    fake.runner(labels=['LGD'], names=['one'], seeds=[0]).run()
    results = fake.runner(labels=['random'], seeds=[1]).run()
    assert states(results) == {('random', 'one'): 'done', ('LGD', 'pre-training'): 'done', ('LGD', 'one'): 'done'}
    assert [cell.seeds for cell in results.cells] == [[1], [0], [0]]
    results = fake.runner(labels=['random'], seeds=[0]).run()
    assert [cell.seeds for cell in results.cells] == [[0, 1], [0], [0]]


@pytest.mark.parametrize('change', ['config', 'options', 'student', 'versions', 'lost student'])
def test_changed_runs_are_run_anew(fake, monkeypatch, change):
    fake.runner(seeds=[0]).run()
    run = next(run for run in choose(fake.read()) if run.title == 'LGD, one, seed 0')
    assert run.record()
    if change == 'config':
        (fake.folder / 'train.py').write_text((fake.folder / 'train.py').read_text().replace("'A'", "'B'"))
        from lgd_mm.suite import run as module
        module._config_text.cache_clear()
    elif change == 'options':
        fake.settings['tasks'][0]['options'] = ['model.type=B']
        run = next(run for run in choose(fake.read()) if run.title == 'LGD, one, seed 0')
    elif change == 'student':
        run.student.write_bytes(b'another')
    elif change == 'versions':
        monkeypatch.setattr(environment, '_versions', lambda: dict(torch='3.0'))
    else:
        run = next(run for run in choose(fake.read()) if run.title == 'LGD, pre-training, seed 0')
        (run.work_dir / 'student.safetensors').unlink()
    assert run.record() is None


def test_results_of_other_settings_are_set_aside(fake, capsys):
    fake.runner(seeds=[0], labels=['random']).run()
    fake.settings['tasks'][0]['options'] = ['model.type=B']
    fake.runner(seeds=[0], labels=['random']).run()
    assert (fake.folder / 'runs/random/seed0/one.old1/run.json').is_file()
    assert 'made with other settings or versions: the folder is set aside as one.old1' in capsys.readouterr().out
    assert 'model.type=B' in fake.record('random/seed0/one')['command']


def test_others_go_on_when_one_fails(fake):
    fake.settings['entries'] += [fake.made('broken', options=['fail=1'])]
    runner = fake.runner()
    results = runner.run()
    assert states(results)['LGD', 'two'] == 'done' and states(results)['broken', 'pre-training'] == 'failed'
    cell = next(cell for cell in results.cells if (cell.entry, cell.task) == ('broken', 'one'))
    assert cell.state == 'failed' and cell.n == 1, 'the seed that was possible is kept'
    assert 'seed 1: not started' in cell.error
    output = fake.output.getvalue()
    assert 'error: the student does not fit; its log' in output, 'the cause comes first'
    assert 'line before\nerror: the student does not fit' in output
    assert {run.title for run in runner.failures} == {
        f'broken, {task}, seed 1' for task in ('pre-training', 'one', 'two')}


def test_the_cause_comes_before_what_a_launcher_says(fake):
    fake.settings['tasks'][0]['options'] = ['end=ranks']
    runner = fake.runner(labels=['random'], seeds=[0])
    runner.run()
    assert next(iter(runner.failures.values())).startswith('error: the images are gone; its log')


@pytest.mark.parametrize('lines, told', [
    (['error: a: b', 'ValueError: x', 'srun: error: node7: task 0: Exited'], 'error: a: b'),
    (['[rank1]: a.BError: c', 'x.errors.ChildFailedError: ', '===='], '[rank1]: a.BError: c'),
    (['    raise ValueError(', 'AssertionError', 'exit'], 'AssertionError'),
    (['Killed', ' '], 'Killed'),
    ([], None),
])
def test_failure_reason(lines, told):
    assert failure_reason(lines) == told


def test_hardware_is_the_run_s_own(fake):
    """Under Slurm the runner is on another machine."""
    fake.settings['tasks'][0]['options'] = ['gpu=NVIDIA H200']
    runner = fake.runner(labels=['random'], seeds=[0, 1])
    runner.launcher.partition = 'gpu'
    results = runner.run()
    known = {key: value for key, value in vars(results.machine).items() if key != 'date'}
    assert known == dict(platform=None, processor=None, threads=None, gpu='NVIDIA H200')
    assert results.cells[0].peak_memory_mb is None
    assert 'in total on NVIDIA H200, ' in notes(results)[1]


def test_a_run_without_its_metric_has_failed(fake):
    fake.settings['tasks'][0]['metrics'] = {'coco/bbox_mAP': 'box AP'}
    runner = fake.runner(labels=['random'], seeds=[0])
    assert states(runner.run()) == {('random', 'one'): 'failed'}
    assert 'without measuring coco/bbox_mAP' in next(iter(runner.failures.values()))


def test_a_finished_run_without_a_metric_that_is_new(fake):
    fake.runner(seeds=[0]).run()
    fake.settings['tasks'][0]['metrics'] = {'accuracy/top5': 'top-5'}
    runner = fake.runner(seeds=[0])
    assert states(runner.run()) == {('random', 'one'): 'failed', ('LGD', 'pre-training'): 'done',
                                    ('LGD', 'one'): 'failed', ('LGD', 'two'): 'done'}
    assert 'without measuring accuracy/top5' in runner.failures[runner.runs[0]]
    assert 'without measuring accuracy/top5' in ''.join(runner.dry_run().columns[3].cells)


def test_a_checkpoint_deleted_to_save_room_concerns_those_who_test_it(fake):
    fake.settings['tasks'].append(fake.task('zero-shot', test_only=True))
    fake.settings['entries'][0]['without'] = ['two', 'zero-shot']
    fake.runner(seeds=[0]).run()
    pretraining = fake.folder / 'runs/lgd/seed0/pre-training'
    (pretraining / 'iter_2.pth').unlink()
    runner = fake.runner(seeds=[0])
    assert list(runner.dry_run().columns[3].cells) == ['done'] * 4 + ['to do']
    assert [run.task for run in runner.runs if states(runner.run())[run.entry, run.task] != 'done'] == ['zero-shot']
    assert f'{pretraining} holds no checkpoint to test' in runner.failures[runner.runs[-1]]
    assert (fake.folder / 'runs/lgd/seed0/zero-shot/20260101_000000').exists(), 'its result is not set aside'


@pytest.mark.parametrize('error', [PermissionError(13, 'Permission denied', 'one'), ValueError('no value')])
def test_what_is_wrong_with_a_folder_is_one_run_s_failure(fake, monkeypatch, error):
    def raise_it(work_dir):
        if work_dir.parts[-3:] == ('random', 'seed0', 'one'):
            raise error

    monkeypatch.setattr('lgd_mm.suite.run.end_orphan', raise_it)
    runner = fake.runner(seeds=[0])
    assert states(runner.run())['LGD', 'two'] == 'done'
    assert list(runner.failures.values()) == [f'{type(error).__name__}: {error}']


def test_two_at_a_time(fake, monkeypatch):
    """Each run goes on only when the other has begun."""
    fake.settings['tasks'] = [fake.task('one')]
    fake.settings['entries'] = [dict(label='first'), dict(label='second')]
    execute, both = Run.execute, threading.Barrier(2)

    def meeting(run, *args):
        both.wait(30)
        return execute(run, *args)

    monkeypatch.setattr(Run, 'execute', meeting)
    assert set(states(fake.runner(jobs=2, seeds=[0]).run()).values()) == {'done'}


def test_a_finished_run_takes_no_place(fake, monkeypatch):
    """The task of a student that is there already begins beside the other run, not behind it."""
    fake.settings['tasks'] = [fake.task('one')]
    fake.settings['entries'] = [fake.made('LGD'), dict(label='other')]
    assert states(fake.runner(labels=['LGD'], seeds=[0]).run())['LGD', 'pre-training'] == 'done'
    shutil.rmtree(fake.folder / 'runs' / 'lgd' / 'seed0' / 'one')
    execute, both = Run.execute, threading.Barrier(2)

    def meeting(run, *args):
        both.wait(30)
        return execute(run, *args)

    monkeypatch.setattr(Run, 'execute', meeting)
    assert set(states(fake.runner(jobs=2, seeds=[0]).run()).values()) == {'done'}


def test_a_stop_reaches_a_run_that_is_starting(fake, monkeypatch):
    """Between its place in the pool and its process."""
    fake.settings['tasks'][0]['options'] = ['pause=3']
    runner = fake.runner(labels=['random'], seeds=[0], names=['one'])
    starting, stopped = threading.Event(), threading.Event()
    monkeypatch.setattr('lgd_mm.suite.run.end_orphan', lambda work_dir: starting.set() or stopped.wait(10))

    def interrupted(*args, **kwargs):
        starting.wait(10)
        stop = runner.launcher.stop
        monkeypatch.setattr(runner.launcher, 'stop', lambda: stop() or stopped.set())
        raise KeyboardInterrupt

    monkeypatch.setattr('lgd_mm.suite.runner.wait', interrupted)
    with pytest.raises(KeyboardInterrupt):
        runner.run()
    assert not (fake.folder / 'runs/random/seed0/one/20260101_000000').exists()
    assert (fake.folder / 'runs/random/seed0/one/output.log').read_text() == ''


def test_one_runner_in_a_folder(fake):
    (fake.folder / 'runs').mkdir()
    with (fake.folder / 'runs/.suite.lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match='another process is running a benchmark in .*: wait for it'):
            fake.runner().run()


def test_a_run_left_behind_is_ended(fake):
    """Its runner was killed; the next one ends it before it starts its own in the same folder."""
    folder = fake.folder / 'runs/random/seed0/one'
    folder.mkdir(parents=True)
    lock = (folder / '.lock').open('w')
    fcntl.flock(lock, fcntl.LOCK_EX)
    orphan = subprocess.Popen(['sleep', '60'], pass_fds=[lock.fileno()], start_new_session=True)
    lock.write(str(orphan.pid))
    lock.close()
    runner = fake.runner(labels=['random'], seeds=[0])
    assert states(runner.run()) == {('random', 'one'): 'done'}
    assert orphan.wait() < 0


def test_a_run_on_another_host_is_left_alone(fake, monkeypatch):
    monkeypatch.setattr('lgd_mm.suite.launcher._wait', lambda condition: condition())
    folder = fake.folder / 'runs/random/seed0/one'
    folder.mkdir(parents=True)
    with (folder / '.lock').open('w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stranger = subprocess.Popen(['sleep', '60'], start_new_session=True)
        lock.write(f'elsewhere {stranger.pid}')
        lock.flush()
        runner = fake.runner(labels=['random'], seeds=[0])
        runner.run()
    assert f'process {stranger.pid} on elsewhere still runs in {folder}' in runner.failures[runner.runs[0]]
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_lock_names_its_own_process_or_none(tmp_path):
    (tmp_path / '.lock').write_text(f'{socket.gethostname()} 4194303')
    launcher = Launcher(gpus=1, available=0)
    launcher.command = lambda command: ['/gone']
    with pytest.raises(FileNotFoundError), launcher.start([], tmp_path, tmp_path / 'log'):
        pass
    assert (tmp_path / '.lock').read_text() == ''
    launcher.command = lambda command: ['true']
    with launcher.start([], tmp_path, tmp_path / 'log'):
        host, pid = (tmp_path / '.lock').read_text().split()
    assert host == socket.gethostname() and int(pid) > 1


def test_dry_run_starts_nothing(fake, monkeypatch):
    runner = fake.runner()
    monkeypatch.setattr(Launcher, 'start', lambda *args: pytest.fail('started'))
    table = runner.dry_run()
    assert table.row_count == 8 and table.caption == '8 runs, 16 iterations'


def test_dry_run_writes_nothing(fake):
    fake.settings.update(shapes_world=str(fake.folder / 'world'))
    fake.settings['tasks'][0]['inputs'] = [str(fake.folder / 'world/world.json')]
    (fake.folder / 'train.py').write_text('train_cfg = dict(max_epochs=1)\ntrain_dataloader = dict(batch_size=8, '
                                          "dataset=dict(type='mmpretrain.CustomDataset', data_root='gone'))\n")
    runner = fake.runner(labels=['random'], names=['one'], seeds=[0])
    before = sorted(fake.folder.rglob('*'))
    table = runner.dry_run()
    assert sorted(fake.folder.rglob('*')) == before
    assert [*table.columns[3].cells, *table.columns[4].cells] == ['unknown: no data here', 'unknown']
    assert table.caption == '1 runs, 0 iterations and those that are unknown'


def test_inputs_must_exist(fake):
    fake.settings['tasks'][0]['inputs'] = [str(fake.folder / 'gone.json')]
    with pytest.raises(UserError, match='gone.json, one of the inputs in suite fake_suite, does not exist'):
        fake.runner().run()
    assert not list(fake.folder.glob('runs/**/run.json'))


def test_launcher_scripts():
    train = ['tools/train.py', 'c.py', '--work-dir', 'w/a/b/c', '--student', 's', '--cfg-options', 'a=1']
    test = ['tools/test.py', 'c.py', 'epoch_1.pth', '--work-dir', 'w/a/b/c']
    assert Launcher(gpus=1, available=4).command(train) == [sys.executable, *train]
    many = Launcher(gpus=2, available=4)
    assert many.jobs == 2 and Launcher(gpus=1, available=0, jobs=3).jobs == 3
    assert many.command(train) == ['bash', 'tools/dist_train.sh', 'c.py', '2', *train[2:]]
    assert many.command(test) == ['bash', 'tools/dist_test.sh', 'c.py', 'epoch_1.pth', '2', *test[3:]]
    slurm = Launcher(gpus=8, available=0, partition='gpu', jobs=3)
    assert slurm.jobs == 3
    assert slurm.command(train) == ['bash', 'tools/slurm_train.sh', 'gpu', 'a-b-c', 'c.py', 'w/a/b/c', *train[4:]]
    assert slurm.command(test) == ['bash', 'tools/slurm_test.sh', 'gpu', 'a-b-c', *test[1:]]
    with pytest.raises(UserError, match='--jobs is 3, but .*here 2'):
        Launcher(gpus=2, available=4, jobs=3)
    with pytest.raises(UserError, match='--gpus is 8, but this machine has 4'):
        Launcher(gpus=8, available=4)


@pytest.mark.parametrize('mask, devices', [
    (None, ['0,1', '2,3']), ('2,3,5,7', ['2,3', '5,7']), ('MIG-a,MIG-b,GPU-c,GPU-d', ['MIG-a,MIG-b', 'GPU-c,GPU-d'])])
def test_each_run_has_its_own_gpus(tmp_path, monkeypatch, mask, devices):
    monkeypatch.delenv('CUDA_VISIBLE_DEVICES', raising=False)
    if mask:
        monkeypatch.setenv('CUDA_VISIBLE_DEVICES', mask)
    launcher = Launcher(gpus=2, available=4)
    launcher.command = lambda command: ['bash', '-c', 'echo "gpus $CUDA_VISIBLE_DEVICES"']
    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
    with launcher.start([], tmp_path / 'a', tmp_path / 'a/log') as first:
        with launcher.start([], tmp_path / 'b', tmp_path / 'b/log') as second:
            while not (first.poll() and second.poll()):
                time.sleep(0.05)
    seen = [(tmp_path / name / 'log').read_text().strip() for name in ('a', 'b')]
    assert seen == [f'gpus {names}' for names in devices]
    assert os.environ.get('CUDA_VISIBLE_DEVICES') == mask


@pytest.mark.parametrize('label', ['x [/]', '[red]x[/b]', 'a/b', 'a|b `c` $d$', '100 % {} {0}', 'x 模型 ÅØ', 'x\ny',
                                   'x' * 200])
def test_labels_are_shown_as_they_are(fake, label):
    """Through the runner, its plan, the table, and both reports; nothing of them is markup, format or path."""
    fake.settings.update(title=f'Suite {label}', entries=[dict(label=label)], tasks=[fake.task(f'task {label[:100]}')])
    runner = fake.runner(seeds=[0])
    runner.console.print(runner.dry_run())
    results = runner.run()
    assert states(results) == {(label, f'task {label[:100]}'): 'done'}
    write_report(results, fake.folder / 'report')
    runner.console.print(results_table(results))
    said = fake.output.getvalue()
    assert label.split('\n')[0][:20] in said.partition('done')[2], said
    rows = [line for line in (fake.folder / 'report/report.md').read_text().splitlines() if line.startswith('|')]
    assert len(rows) == 3 and len({len(re.split(r'(?<!\\)\|', row)) for row in rows}) == 1
    assert Markup.escape(label) in (fake.folder / 'report/report.html').read_text()


def test_a_label_that_is_no_name_of_a_folder_is_told(fake):
    fake.settings.update(entries=[dict(label='x' * 300)])
    with pytest.raises(UserError, match=r"entry 'x+'\.\.\. is too long for the name of its folder: use at most 200"):
        fake.read()


def test_the_second_interrupt_ends_the_runs(tmp_path):
    """By a signal that they cannot ignore, and no other starts."""
    launcher = Launcher(gpus=1, available=0)
    launcher.command = lambda command: [sys.executable, '-c', 'import signal, time; print("here", flush=True); '
                                        'signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(100)']
    with launcher.start([], tmp_path, tmp_path / 'output.txt') as process:
        launcher.kill()
        until = time.monotonic() + 20
        while not process.poll():
            assert time.monotonic() < until
            time.sleep(0.01)
    assert process.returncode == -signal.SIGKILL
    with pytest.raises(UserError, match='the suite was stopped'), launcher.start([], tmp_path, tmp_path / 'x'):
        pass


@pytest.mark.parametrize('damage', [b'', b'{"done": true}', b'[1, 2]', b'\xff', b'[' * 100_000,
                                    b'{"hash": 1, "done": false, "seconds": "x"}'])
def test_a_damaged_record_costs_its_own_run(fake, capsys, damage):
    fake.runner(seeds=[0]).run()
    kept = fake.record('lgd/seed0/one')
    damaged = fake.folder / 'runs/random/seed0/one/run.json'
    damaged.write_bytes(damage)
    assert list(fake.runner(seeds=[0]).dry_run().columns[3].cells) == ['to do'] + ['done'] * 3
    assert states(fake.runner(labels=['LGD'], seeds=[0]).run())['LGD', 'one'] == 'done', 'also of a part without it'
    capsys.readouterr()
    results = fake.runner(seeds=[0]).run()
    assert set(states(results).values()) == {'done'} and fake.record('lgd/seed0/one') == kept
    told = capsys.readouterr().out
    assert str(damaged) in told and 'it is run again: the folder is set aside as one.old1' in told
    assert told.count('\n') == 1 and (fake.folder / 'runs/random/seed0/one.old1/run.json').read_bytes() == damage
    assert fake.record('random/seed0/one')['metrics'] == {'accuracy/top1': 50.0}


@pytest.mark.parametrize('value', ['NaN', 'Infinity', '1e300', '1' + '0' * 400])
def test_what_is_no_number_is_no_figure(fake, value):
    """Of a single seed, too: the mean of the others would be that of the luckier ones."""
    fake.settings['tasks'][0]['options'] = [f'top1={value}']
    fake.settings['tasks'][1]['metrics'] = {'accuracy/top1': 'two'}
    runner = fake.runner()
    results = runner.run()
    assert not runner.failures and set(states(results).values()) == {'done'}
    assert 'random, one, seed 1: accuracy/top1 is no finite number' in fake.output.getvalue()
    assert 'random, one, seed 0: accuracy/top1 50' in fake.output.getvalue()
    assert results.cells[0].metrics == {'accuracy/top1': None} and results.cells[0].n == 2
    assert results.cells[3].metrics['accuracy/top1'].values == [50.0, 51.0]
    assert ': NaN' not in (fake.folder / 'runs/results.json').read_text()
    assert read_results(fake.folder / 'runs/results.json') == results
    assert fake.runner().run().cells == results.cells, 'a finished run ran again'
    write_report(results, fake.folder / 'report')
    assert '| random | nan | – |' in (fake.folder / 'report/report.md').read_text()
    assert 'nan : a seed has measured NaN, or an infinite number.' in notes(results)


@pytest.mark.parametrize('content', ['[]', '5\n', '{"loss": 1}\n', '{"step": NaN}\n'])
def test_damaged_logs_are_one_run_s_failure(fake, content):
    fake.settings['tasks'][0]['options'] = [f'scalars={content.strip()}']
    runner = fake.runner(seeds=[0])
    assert states(runner.run())['LGD', 'two'] == 'done'
    assert {run.task for run in runner.failures} == {'one'}
    assert all(re.search(r'scalars.json, line 1 is not JSON of a training \(no .*\): delete', told)
               for told in runner.failures.values())
