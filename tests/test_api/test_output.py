"""The folder of a run: one run at a time is at work in it, and one that is replaced is not lost."""

import fcntl
import multiprocessing
import os
import shutil
from pathlib import Path

import pytest

import lgd_mm
from lgd_mm.api.output import ASIDE, RESOLVED, check_inputs_stay, check_out, replaced
from lgd_mm.engine import launch
from lgd_mm.errors import UserError
from lgd_mm.io.lock import LOCK_OF_RUN, alone_in_run
from lgd_mm.runs.replacement import MOVING


def old_run(folder):
    (folder / 'vis').mkdir(parents=True)
    for name in (RESOLVED, 'epoch_9.pth', 'vis/scalars.json'):
        (folder / name).write_text('old')


@pytest.mark.parametrize(('error', 'left', 'comes_back'), [
    (UserError, [RESOLVED], True),
    (RuntimeError, [RESOLVED], True),
    (RuntimeError, [RESOLVED, 'epoch_1.pth'], False),
    (KeyboardInterrupt, [], True),
    (KeyboardInterrupt, [RESOLVED], False),
])
def test_replaced_run_comes_back_if_the_new_one_has_not_begun(tmp_path, monkeypatch, error, left, comes_back):
    """Whole, and nothing of the new one with it."""
    folder = tmp_path / 'run'
    old_run(folder)
    monkeypatch.chdir(folder)
    with pytest.raises(error), replaced('.', overwrite=True):
        check_out('.', resume=False, overwrite=True)  # as another process of the run does, a moment later
        (folder / 'new').mkdir()
        for name in left:
            (folder / name).write_text('new')
        raise error
    if comes_back:
        assert content(folder) == OLD
    else:  # the new one may be gone on with, and the old one is kept until that has ended
        assert content(folder) == dict.fromkeys(left, 'new') | {f'{ASIDE}/{name}': text for name, text in OLD.items()}


def content(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob('*') if path.is_file()}


OLD = dict.fromkeys((RESOLVED, 'epoch_9.pth', 'vis/scalars.json'), 'old')


def test_killed_overwrite_is_no_hindrance(tmp_path):
    """What it had put aside is gone after the next run has ended."""
    for overwrite in (True, False):
        old_run(tmp_path / str(overwrite))
        old_run(tmp_path / str(overwrite) / ASIDE)
        with replaced(tmp_path / str(overwrite), overwrite):
            assert (tmp_path / str(overwrite) / RESOLVED).exists() is not overwrite
        assert not (tmp_path / str(overwrite) / ASIDE).exists()


def overwrite_and_be_killed(folder, step):
    """A process that is killed at a step of overwriting a run; returns whether it came to its end before."""
    count = iter(range(step + 1))

    def killing(call):
        def counted(*args, **kwargs):
            if next(count) == step:
                os._exit(9)
            return call(*args, **kwargs)
        return counted

    def work():
        for name in ('rename', 'mkdir', 'rmdir', 'unlink', 'write_text'):
            setattr(Path, name, killing(getattr(Path, name)))
        with alone_in_run(folder), replaced(folder, overwrite=True):
            (folder / RESOLVED).write_text('new')
            (folder / 'epoch_1.pth').write_text('new')
            (folder / 'vis').mkdir()
            os._exit(0)

    child = multiprocessing.get_context('fork').Process(target=work)
    child.start()
    child.join()
    return child.exitcode == 0


@pytest.mark.parametrize('after', ['overwrite', 'resume', 'overwrite that is killed too'])
def test_a_run_is_not_lost_by_a_kill_at_any_step(tmp_path, after):
    """Whatever the next command is, and however it fails, the finished run is whole: in its folder, or kept in it."""
    for step in range(40):
        folder = tmp_path / str(step)
        old_run(folder)
        ended = overwrite_and_be_killed(folder, step)
        if after == 'overwrite that is killed too':
            overwrite_and_be_killed(folder, step // 2)
        check_out(folder, resume=after == 'resume', overwrite=after != 'resume')
        with pytest.raises(UserError), alone_in_run(folder), replaced(folder, overwrite=after != 'resume'):
            raise UserError
        places = [folder, folder / ASIDE, folder / ASIDE / ASIDE]
        assert any(OLD.items() <= content(place).items() for place in places), step
        if not (folder / 'epoch_1.pth').exists() and not (folder / RESOLVED).read_text() == 'new':
            assert content(folder) == OLD, step  # at its place, and nothing of the other
        if ended:
            break
    else:
        pytest.fail('it never came to its end')


def test_a_second_run_in_the_folder_of_one_at_work_is_refused(arguments, run, tmp_path):
    """Whether it would overwrite, go on, or come by tools/train.py: the first one is named, and nothing is touched."""
    out = tmp_path / 'run'
    shutil.copytree(run.out, out)
    before = content_bytes(out)
    (out / LOCK_OF_RUN).write_text('process 7 on another')
    with (out / LOCK_OF_RUN).open('r+') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for how in (dict(overwrite=True), dict(resume=True)):
            with pytest.raises(UserError, match='process 7 on another is at work in .*run: wait until it has ended'):
                lgd_mm.pretrain(**arguments, out=out, **how)
        for how in (None, 'auto'):
            with pytest.raises(UserError, match='process 7 on another is at work in .*run: wait until it has ended'):
                launch.train(str(run.config), work_dir=str(out), resume=how)
    (out / LOCK_OF_RUN).unlink()
    assert content_bytes(out) == before


def content_bytes(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob('*')
            if path.is_file() and path.name != LOCK_OF_RUN}


@pytest.mark.parametrize('given', ['{}/run/names.txt', '{}/link/names.txt', 'MODEL/TAG={}/run/names.txt',
                                   'local-dir:{}/run', 'coco+{}/run/names.txt', '{}/run', '{}/outside'])
def test_inputs_are_not_overwritten(tmp_path, given):
    old_run(tmp_path / 'run')
    (tmp_path / 'run/names.txt').write_text('cat')
    (tmp_path / 'link').symlink_to(tmp_path / 'run')
    (tmp_path / 'outside').symlink_to(tmp_path / 'run/names.txt')
    given = given.format(tmp_path)
    for each in (given, Path(given)):
        with pytest.raises(UserError, match=r'(run|link|outside).* lies in .*run, which is to be overwritten: copy it'):
            check_inputs_stay(tmp_path / 'run', True, None, 5, ['a'], 'cat,dog', 'x' * 10_000, '\0', each)
    check_inputs_stay(tmp_path / 'run', False, given)
    check_inputs_stay(tmp_path / 'new', True, given)
    with pytest.raises(UserError, match='names.txt lies in'):
        lgd_mm.pretrain(tmp_path, tmp_path / 'run/names.txt', out=tmp_path / 'run', overwrite=True)


def test_two_runs_of_one_folder_are_not_mixed(tmp_path):
    """A killed --overwrite left the old run half moved, and another one came into the folder: nothing is moved."""
    folder = tmp_path / 'run'
    old_run(folder / MOVING)
    for other in ('epoch_9.pth', 'vis'):
        (folder / other).mkdir()
        (folder / other / 'new').touch()
        before = content(folder)
        for overwrite in (True, False):
            with pytest.raises(UserError, match=rf'{other} is of a run that was being moved .* move one of them'), \
                    replaced(folder, overwrite):
                pass
        assert content(folder) == before
        shutil.rmtree(folder / other)
    with replaced(folder, overwrite=False):
        assert content(folder) == OLD


def test_no_other_tool_trains_into_a_run_that_is_half_moved(run, tmp_path):
    old_run(tmp_path / 'out' / MOVING)
    before = content(tmp_path / 'out')
    for resume in (None, 'auto'):
        with pytest.raises(UserError, match=r'--overwrite was moving when it was killed, .*--resume puts it together'):
            launch.train(str(run.config), work_dir=str(tmp_path / 'out'), resume=resume)
    assert content(tmp_path / 'out') == before
