"""The disk is asked for room before the first run."""

from collections import namedtuple

import pytest

from lgd_mm.errors import UserError
from lgd_mm.registry import MODELS
from lgd_mm.suite import disk_space as room
from lgd_mm.suite.plan import choose

USAGE = namedtuple('USAGE', 'free')
BACKBONE = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8)


@pytest.fixture
def trained(fake):
    """Each run saves its two checkpoints, of which one is kept."""
    model = dict(type='mmpretrain.ImageClassifier', backbone=BACKBONE)
    (fake.folder / 'train.py').write_text(
        f'default_scope = "mmpretrain"\nmodel = {model}\n'
        'train_cfg = dict(max_iters=2)\ntrain_dataloader = dict(batch_size=8)\n'
        'default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=1))\n')
    return fake


def test_bytes_of_a_run(trained):
    weights = sum(tensor.nbytes for tensor in MODELS.build(BACKBONE).state_dict().values())
    assert [room.checkpoint_bytes(run) for run in choose(trained.read(), seeds=[0])] == [2 * 3 * weights] * 4


def test_a_disk_that_is_too_small(trained, monkeypatch):
    needed = sum(map(room.checkpoint_bytes, choose(trained.read())))
    assert needed
    monkeypatch.setattr(room.shutil, 'disk_usage', lambda folder: USAGE(needed - 1))
    with pytest.raises(UserError, match='GB left, and the checkpoints of 8 runs may need .* GB: free some, give'):
        trained.runner().run()
    assert not list(trained.folder.glob('runs/*/')), 'nothing was started'
    monkeypatch.setattr(room.shutil, 'disk_usage', lambda folder: USAGE(needed))
    assert all(cell.state == 'done' for cell in trained.runner().run().cells)
    monkeypatch.setattr(room.shutil, 'disk_usage', lambda folder: USAGE(0))
    trained.runner().run()  # all is done


def test_checkpoints_that_are_there_need_no_room(trained):
    """A run that goes on."""
    run, *_ = choose(trained.read(), seeds=[0])
    needed = room.checkpoint_bytes(run)
    run.work_dir.mkdir(parents=True)
    (run.work_dir / 'iter_1.pth').write_bytes(bytes(1000))
    assert room.checkpoint_bytes(run) == needed - 1000
    (run.work_dir / 'iter_2.pth').write_bytes(bytes(needed))
    assert room.checkpoint_bytes(run) == 0


@pytest.mark.parametrize('text', ["model = dict(type='A')", 'model = ', "_base_ = 'missing.py'"])
def test_a_config_that_is_wrong_is_left_to_its_own_run(trained, monkeypatch, text):
    monkeypatch.setattr(room.shutil, 'disk_usage', lambda folder: USAGE(1e9))
    wrong = trained.folder / 'wrong.py'
    wrong.write_text(f'train_cfg = dict(max_iters=2)\ndefault_hooks = dict(checkpoint=dict(interval=1))\n{text}\n')
    trained.settings['tasks'][0]['config'] = str(wrong)
    suite = trained.read()
    room.check_disk_space(suite, choose(suite))
