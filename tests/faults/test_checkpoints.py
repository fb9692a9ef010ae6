"""There is always a whole checkpoint, and only a run that is the same goes on from it."""

import errno
import os
import resource
import shutil
import stat
import struct
import subprocess
import sys
import zipfile

import pytest
import torch
from mmengine.config import Config
from safetensors.torch import load_file, save_file

from lgd_mm.engine.checks.preflight import check_weights
from lgd_mm.engine.launch import _set_resume
from lgd_mm.engine.loops import EpochLoop
from lgd_mm.errors import UserError
from lgd_mm.io.files import write_text
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.runs.checkpoints import is_whole, latest_checkpoint, read_training_state
from tests.faults.conftest import last_checkpoint, run_here
from tests.tiny import ROOT, write_images, write_tiny_teacher


@pytest.fixture(scope='module')
def finished(fault_config, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('finished')
    return run_here(fault_config, work_dir), work_dir


@pytest.fixture
def work_dir(finished, tmp_path):
    folder = tmp_path / 'run'
    shutil.copytree(finished[1], folder)
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_2.pth'))
    return folder


def damage(path, place):
    """Turn a bit of the largest tensor: between tensors there are bytes that mean nothing."""
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        largest = max(file.infolist(), key=lambda info: info.file_size)
    name, extra = struct.unpack('<HH', content[largest.header_offset + 26:largest.header_offset + 30])
    content[largest.header_offset + 30 + name + extra + int(place * (largest.file_size - 1))] ^= 0x10
    path.write_bytes(content)


@pytest.mark.parametrize('place', [
    pytest.param(0.0, marks=pytest.mark.slow), 0.5, pytest.param(1.0, marks=pytest.mark.slow)])
def test_one_wrong_bit_in_the_newest(fault_config, finished, work_dir, capsys, place):
    damage(work_dir / 'epoch_2.pth', place)
    assert not is_whole(work_dir / 'epoch_2.pth') and is_whole(work_dir / 'epoch_1.pth')
    with pytest.raises(UserError, match='epoch_2.pth is cut off or not a checkpoint .*is not what was written'):
        load_checkpoint_file(work_dir / 'epoch_2.pth')
    again = run_here(fault_config, work_dir, 'auto')
    assert 'which is missing or damaged: epoch_1.pth is the newest whole checkpoint' in capsys.readouterr().out
    assert all(torch.equal(again['state_dict'][key], value) for key, value in finished[0]['state_dict'].items())


@pytest.mark.slow
def test_a_wrong_bit_anywhere_is_told(tmp_path):
    """Also in the names and sizes of the file's parts, where zipfile raises nearly anything."""
    torch.save(dict(weights=torch.arange(9.0)), tmp_path / 'good.pth')
    content, said = (tmp_path / 'good.pth').read_bytes(), []
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= 0x80
        (tmp_path / 'bad.pth').write_bytes(changed)
        said.append(is_whole(tmp_path / 'bad.pth'))
        if said[-1]:
            load_checkpoint_file(tmp_path / 'bad.pth')
    assert False in said and is_whole(tmp_path / 'good.pth')


def test_a_pointer_that_is_gone(fault_config, work_dir):
    """Nobody knows whose checkpoints these are: a new run would write over them."""
    (work_dir / 'last_checkpoint').unlink()
    before = (work_dir / 'epoch_1.pth').read_bytes()
    with pytest.raises(UserError, match='has epoch_1.pth, epoch_2.pth, but no last_checkpoint that says which'):
        run_here(fault_config, work_dir, 'auto')
    assert (work_dir / 'epoch_1.pth').read_bytes() == before
    write_text(work_dir / 'last_checkpoint', 'epoch_1.pth')
    assert run_here(fault_config, work_dir, 'auto')['meta']['epoch'] == 2


@pytest.mark.slow
def test_killed_between_its_first_checkpoint_and_its_name(fault_config, finished, tmp_path, monkeypatch, capsys):
    """In a folder in which another run left checkpoints: the run goes on from its own."""
    shutil.copy(finished[1] / 'epoch_2.pth', tmp_path)

    class KilledError(BaseException):
        pass

    def kill(path, text):
        if path.name == 'last_checkpoint':
            raise KilledError
        write_text(path, text)

    with monkeypatch.context() as patch:
        patch.setattr('lgd_mm.engine.hooks.checkpoints.write_text', kill)
        with pytest.raises(KilledError):
            run_here(fault_config, tmp_path)
    assert not (tmp_path / 'last_checkpoint').exists()
    again = run_here(fault_config, tmp_path, 'auto')
    assert 'was left before its first checkpoint was named in last_checkpoint: it is epoch_1.pth' in (
        capsys.readouterr().out)
    assert again['meta']['epoch'] == 2 and not list(tmp_path.glob('.begun'))
    assert all(torch.equal(again['state_dict'][key], value) for key, value in finished[0]['state_dict'].items())


@pytest.mark.parametrize(('key', 'value'), [
    ('optim_wrapper.optimizer.lr', 0.5), ('model.lgka.momentum', 0.5), ('randomness.seed', 7),
    ('optim_wrapper.accumulative_counts', 2), ('train_dataloader.dataset.pipeline.1.size', 24),
    ('train_cfg.max_epochs', 1)])
def test_another_run_is_refused(fault_config, work_dir, key, value):
    """What the checkpoint decides, or would be mixed with what was learned until then, is named."""
    with pytest.raises(UserError, match=rf'epoch_2.pth is of a run .*{key}=.*give '):
        run_here(fault_config, work_dir, 'auto', **{key: value})


@pytest.mark.slow
def test_another_teacher_of_the_same_width_is_refused(fault_config, work_dir, tmp_path):
    """The same one in another folder is none."""
    teacher = write_tiny_teacher(tmp_path / 'moved')
    assert run_here(fault_config, work_dir, 'auto', **{'model.teacher.model': teacher})['meta']['epoch'] == 2
    weights = tmp_path / 'moved/open_clip_model.safetensors'
    save_file({key: value + key.startswith('visual.') for key, value in load_file(weights).items()}, weights)
    with pytest.raises(UserError, match='of a run with another teacher than model.teacher is here'):
        run_here(fault_config, work_dir, 'auto', **{'model.teacher.model': teacher})


@pytest.mark.parametrize('pointer', [b'', bytes(60), b'\xff\xfe'])
def test_a_pointer_that_a_power_cut_left(work_dir, capsys, pointer):
    (work_dir / 'last_checkpoint').write_bytes(pointer)
    (work_dir / 'epoch_1.pth').unlink()
    assert latest_checkpoint(str(work_dir)) == work_dir / 'epoch_2.pth'
    assert 'epoch_2.pth is the newest whole checkpoint there' in capsys.readouterr().out


@pytest.mark.parametrize('meta', [{}, dict(epoch=1), dict(epoch='1', iter=5)])
def test_a_checkpoint_that_does_not_say_how_far_it_is(tmp_path, meta):
    torch.save(dict(meta=meta, state_dict={}, optimizer={}, message_hub={}), tmp_path / 'odd.pth')
    with pytest.raises(UserError, match='cannot be resumed from, it has no meta'):
        read_training_state(tmp_path / 'odd.pth')


def test_a_value_that_is_no_tensor():
    model = torch.nn.Linear(2, 2)
    with pytest.raises(UserError, match=r'a\.pth holds a list at bias, where a model has a tensor'):
        check_weights(model, dict(model.state_dict(), bias=[0.0, 0.0]), 'a.pth')


@pytest.mark.slow
def test_checkpoints_are_whole_whatever_was_imported_first(tmp_path):
    """Tools of other packages import mmengine's runner before this one."""
    code = ('import errno, os, sys, torch, mmengine.runner, lgd_mm\n'
            'def full(descriptor): raise OSError(errno.ENOSPC, "No space left on device")\n'
            'sys.modules["lgd_mm.io.files"].os.fsync = full\n'
            'try: mmengine.runner.runner.save_checkpoint(dict(a=torch.ones(1)), "a.pth")\n'
            'except OSError as error: print(error.strerror, os.listdir())')
    done = subprocess.run([sys.executable, '-c', code], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, 'PYTHONPATH': str(ROOT)})
    assert done.stdout.strip() == 'No space left on device []', done.stderr[-2000:]


def test_a_group_that_begins_again_keeps_the_file_it_was_given(work_dir, tmp_path, monkeypatch):
    """Until there is a checkpoint of its own."""
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', '1')
    cfg, given = Config(dict(work_dir=str(tmp_path / 'new'))), str(work_dir / 'epoch_1.pth')
    _set_resume(cfg, given)
    assert cfg.resume and cfg.load_from == given
    cfg = Config(dict(work_dir=str(work_dir)))
    _set_resume(cfg, given)
    assert cfg.load_from == str(work_dir / 'epoch_2.pth')


def test_a_new_run_does_not_point_to_the_run_before(fault_config, work_dir, monkeypatch):
    """Else a group that is lost before its first checkpoint would begin again from another run's end."""
    class LostError(Exception):
        pass

    def lose(*_):
        raise LostError

    monkeypatch.setattr(EpochLoop, 'run_iter', lose)
    with pytest.raises(LostError):
        run_here(fault_config, work_dir)
    assert latest_checkpoint(str(work_dir)) is None and (work_dir / 'epoch_2.pth').is_file()


def test_a_folder_that_cannot_be_synced(tmp_path, monkeypatch):
    """As some network file systems have it."""
    sync = os.fsync

    def refuse_folders(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, 'Invalid argument')
        sync(descriptor)

    monkeypatch.setattr(os, 'fsync', refuse_folders)
    write_text(tmp_path / 'a', 'whole')
    assert (tmp_path / 'a').read_text() == 'whole'


@pytest.mark.slow
def test_a_full_disk_leaves_the_checkpoint_before(fault_config, tmp_path, monkeypatch):
    save, bound = torch.save, resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_disk(content, file):
        if content['meta']['epoch'] == 2:  # as a full disk does it: one of many writes fails
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, bound[1]))
        save(content, file)

    monkeypatch.setattr(torch, 'save', fill_disk)
    try:
        with pytest.raises(UserError, match='cannot be written to .File too large.: free disk space'):
            run_here(fault_config, tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, bound)
    assert [path.name for path in tmp_path.glob('*.pth')] == ['epoch_1.pth']
    assert not list(tmp_path.glob('.*.part')) and last_checkpoint(tmp_path)['meta']['epoch'] == 1


def test_leftovers_of_a_killed_run_are_removed(fault_config, work_dir):
    (work_dir / '.epoch_2.pth.there.7.part').write_bytes(b'PK')
    run_here(fault_config, work_dir, 'auto')
    assert not list(work_dir.glob('.*.part'))


@pytest.mark.slow
def test_oldest_is_removed_after_the_newest_is_written(fault_config, tmp_path, monkeypatch):
    there = []
    save = torch.save
    monkeypatch.setattr(torch, 'save', lambda content, file: (
        there.append(sorted(path.name for path in tmp_path.glob('*.pth'))), save(content, file)))
    run_here(fault_config, tmp_path, **{'default_hooks.checkpoint.max_keep_ckpts': 1})
    assert there[:2] == [[], ['epoch_1.pth']]
    assert [path.name for path in tmp_path.glob('epoch_*.pth')] == ['epoch_2.pth']


def test_other_batch_is_refused(fault_config, work_dir):
    with pytest.raises(UserError, match='with 4 images in a batch .*, and here are 5: give --cfg-options '
                                        'train_dataloader.batch_size=4'):
        run_here(fault_config, work_dir, 'auto', **{'train_dataloader.batch_size': 5})


def test_other_images_are_refused(fault_config, work_dir, tmp_path):
    write_images(tmp_path / 'others', 19)  # as many batches
    (tmp_path / 'others/one.png').touch()
    with pytest.raises(UserError, match='is of a run with other images than .* has here: put back those'):
        run_here(fault_config, work_dir, 'auto',
                 **{'train_dataloader.dataset.data_root': str(tmp_path / 'others')})
    write_images(tmp_path / 'more', 24)
    with pytest.raises(UserError, match='whose epochs had 5 batches, and here they have 6: put back the images'):
        run_here(fault_config, work_dir, 'auto',
                 **{'train_dataloader.dataset.data_root': str(tmp_path / 'more')})
