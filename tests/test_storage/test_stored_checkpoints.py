"""A run whose machine is lost goes on from the copies of its checkpoints, with the same bits."""

import json
import shutil

import pytest
import torch

from lgd_mm.engine.launch import train
from lgd_mm.engine.loops import EpochLoop
from lgd_mm.errors import UserError
from lgd_mm.io.safe_load import load_checkpoint_file
from lgd_mm.runs import copies
from lgd_mm.storage import files_below
from tests.faults.conftest import fault_config, fault_images, run_here  # noqa: F401
from tests.object_store import client

OPTIONS = {'default_hooks.checkpoint.by_epoch': False, 'default_hooks.checkpoint.interval': 2,
           'default_hooks.checkpoint.max_keep_ckpts': 2}


@pytest.fixture
def place(server, store, request):
    """Where a run copies to."""
    name = f'runs-{abs(hash(request.node.name)) % 10**9}'
    client(server).create_bucket(Bucket=name)
    return f's3://{name}/one'


def test_a_machine_that_is_lost(fault_config, place, store, tmp_path, monkeypatch):  # noqa: F811
    undisturbed = run_here(fault_config, tmp_path / 'quiet', **OPTIONS)
    copied = {**OPTIONS, 'default_hooks.checkpoint.copy_to': place}
    store.share = 0.2
    with pytest.raises(RuntimeError, match='the machine is lost'), monkeypatch.context() as patch:
        step, calls = EpochLoop.run_iter, iter(range(1, 10))

        def lost(self, index, batch):
            if next(calls) == 8:
                raise RuntimeError('the machine is lost')
            step(self, index, batch)

        patch.setattr(EpochLoop, 'run_iter', lost)
        run_here(fault_config, tmp_path / 'first', resume=place, **copied)
    found = files_below(place)
    assert 'last_checkpoint' in found and 2 <= len(found) <= 3  # two checkpoints at most, and what names one
    shutil.rmtree(tmp_path / 'first')
    again = run_here(fault_config, tmp_path / 'second', resume=place, **copied)
    assert again['meta']['iter'] == undisturbed['meta']['iter'] == 10
    for key, value in undisturbed['state_dict'].items():
        assert torch.equal(again['state_dict'][key], value), key
    assert {'iter_8.pth', 'iter_10.pth', 'last_checkpoint'} == set(files_below(place))
    lines = [json.loads(line) for line in next((tmp_path / 'second').glob('*/vis_data/scalars.json')).open()]
    assert 0 < len([line for line in lines if 'loss' in line]) < 10  # it did not begin anew


def test_copies_of_another_run_are_not_written_over(fault_config, place, tmp_path):  # noqa: F811
    client_options = {**OPTIONS, 'default_hooks.checkpoint.copy_to': place, 'train_cfg.max_epochs': 1}
    run_here(fault_config, tmp_path / 'one', **client_options)
    with pytest.raises(UserError, match=f'{place} .* of another run: give tools/train.py --resume {place}'):
        run_here(fault_config, tmp_path / 'two', **client_options)


def test_a_pointer_that_leads_elsewhere(fault_config, place, server, tmp_path):  # noqa: F811
    for name in ('../other/x.pth', 'epoch_1.txt', ''):
        client(server).put_object(Bucket=place[5:-4], Key='one/last_checkpoint', Body=name.encode())
        with pytest.raises(UserError, match='which is no checkpoint of this folder'):
            train(str(fault_config), work_dir=str(tmp_path / 'run'), resume=place)


def test_a_place_to_go_on_from_that_is_mistyped(fault_config, place, store, tmp_path):  # noqa: F811
    with pytest.raises(UserError, match=f'--resume {place}x holds no checkpoint, and --copy-to {place} is another'):
        run_here(fault_config, tmp_path / 'run', resume=f'{place}x', **OPTIONS,
                 **{'default_hooks.checkpoint.copy_to': place})
    with pytest.raises(UserError, match=f"resume is '{place}', and it is True or False: give tools/train.py --resume"):
        train(str(fault_config), work_dir=str(tmp_path / 'run'), cfg_options={'resume': place})
    assert not (tmp_path / 'run').exists()


def test_a_place_that_is_none(fault_config, tmp_path):  # noqa: F811
    with pytest.raises(UserError, match='--copy-to runs/one: give the URL of a folder'):
        run_here(fault_config, tmp_path / 'run', **{'default_hooks.checkpoint.copy_to': 'runs/one'})


def test_a_store_that_fails_while_the_run_goes_on(fault_config, place, store, tmp_path, monkeypatch, capfd):  # noqa: F811
    monkeypatch.setattr('lgd_mm.runs.copies.upload',
                        lambda file, url, tries: (_ for _ in ()).throw(UserError(f'{url}: down')))
    run_here(fault_config, tmp_path / 'run', **{**OPTIONS, 'default_hooks.checkpoint.copy_to': place,
                                               'train_cfg.max_epochs': 1})
    assert load_checkpoint_file(tmp_path / 'run' / 'iter_4.pth')
    assert f'no copy of this checkpoint: {place}/iter_4.pth: down' in ''.join(capfd.readouterr())


def test_a_store_that_is_down_is_waited_for_once(fault_config, place, store, tmp_path, monkeypatch):  # noqa: F811
    upload, tried = copies.upload, []

    def down(file, url, tries):
        tried.append((file.name, tries))
        if file.name in ('iter_4.pth', 'iter_6.pth'):
            raise UserError(f'{url}: down')
        upload(file, url, tries)

    monkeypatch.setattr(copies, 'upload', down)
    run_here(fault_config, tmp_path / 'run', **{**OPTIONS, 'default_hooks.checkpoint.copy_to': place})
    assert tried == [('iter_2.pth', 8), ('iter_4.pth', 8), ('iter_6.pth', 1), ('iter_8.pth', 1), ('iter_10.pth', 8)]


def test_what_is_named_stays_until_another_one_is_there(fault_config, place, store, tmp_path, monkeypatch):  # noqa: F811
    """A store that takes nothing for a while may still remove: what a lost run goes on from must not be among it."""
    upload, kept = copies.upload, []

    def full(file, url, tries):
        kept.append(set(files_below(place)) if kept else set())
        if file.name in ('iter_4.pth', 'iter_6.pth'):
            raise UserError(f'{url}: full')
        upload(file, url, tries)

    monkeypatch.setattr(copies, 'upload', full)
    run_here(fault_config, tmp_path / 'run', **{**OPTIONS, 'default_hooks.checkpoint.copy_to': place,
                                               'default_hooks.checkpoint.max_keep_ckpts': 1})
    assert kept == [set(), *[{'iter_2.pth', 'last_checkpoint'}] * 3, {'iter_8.pth', 'last_checkpoint'}]
    assert set(files_below(place)) == {'iter_10.pth', 'last_checkpoint'}


def test_a_place_that_takes_nothing(fault_config, place, store, tmp_path):  # noqa: F811
    """Told before the first step, not by a line in the log after each checkpoint."""
    with pytest.raises(UserError, match='s3://no-such-bucket/run.* does not exist: correct its name'):
        run_here(fault_config, tmp_path / 'run', **{'default_hooks.checkpoint.copy_to': 's3://no-such-bucket/run'})
    assert not (tmp_path / 'run').exists()


def test_processes_that_would_go_on_from_different_checkpoints(fault_config, tmp_path, monkeypatch):  # noqa: F811
    """As on machines that share no disk."""
    run_here(fault_config, tmp_path / 'run', **OPTIONS)
    for other, said in ((None, 'iteration 10, the beginning'), (['x', 8], 'iteration 10, iteration 8')):
        monkeypatch.setattr('lgd_mm.engine.launch.all_gather_object', lambda own, other=other: [own, other])
        with pytest.raises(UserError, match=f'the processes of this run would go on from {said}: give all machines'):
            run_here(fault_config, tmp_path / 'run', resume='auto', **OPTIONS)


def test_a_run_that_goes_on_elsewhere_keeps_off_the_copies_of_another(fault_config, place, tmp_path):  # noqa: F811
    """Also one that is itself resumed."""
    short = {**OPTIONS, 'train_cfg.max_epochs': 1}
    run_here(fault_config, tmp_path / 'one', **short, **{'default_hooks.checkpoint.copy_to': place})
    run_here(fault_config, tmp_path / 'two', **short)
    with pytest.raises(UserError, match=f'{place} holds the checkpoints of another run'):
        run_here(fault_config, tmp_path / 'two', resume='auto', **OPTIONS,
                 **{'default_hooks.checkpoint.copy_to': place})
    run_here(fault_config, tmp_path / 'one', resume='auto', **OPTIONS, **{'default_hooks.checkpoint.copy_to': place})
