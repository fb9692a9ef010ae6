"""The disk is asked for room before the first run."""

from collections import namedtuple

import pytest

from lgd_mm.benchmark import room
from lgd_mm.benchmark.plan import choose
from lgd_mm.errors import UserError
from lgd_mm.registry import MODELS

USAGE = namedtuple('USAGE', 'free')
BACKBONE = dict(type='mmpretrain.ResNet', depth=18, stem_channels=8, base_channels=8)


@pytest.fixture
def trained(fake):
    """Each run saves its two checkpoints, of which one is kept."""
    model = dict(type='mmpretrain.ImageClassifier', backbone=BACKBONE)
    (fake.folder / 'train.py').write_text(
        f'train_cfg = dict(max_iters=2)\ntrain_dataloader = dict(batch_size=8)\nmodel = {model}\n'
        'default_hooks = dict(checkpoint=dict(interval=1, max_keep_ckpts=1))\n')
    return fake


def test_bytes_of_a_run(trained):
    weights = sum(tensor.nbytes for tensor in MODELS.build(BACKBONE).state_dict().values())
    assert [room.checkpoint_bytes(run) for run in choose(trained.read(), seeds=[0])] == [2 * 3 * weights] * 4


def test_a_disk_that_is_too_small(trained, monkeypatch):
    needed = sum(map(room.checkpoint_bytes, choose(trained.read())))
    monkeypatch.setattr(room.shutil, 'disk_usage', lambda folder: USAGE(needed - 1))
    with pytest.raises(UserError, match='GB left, and the checkpoints of 8 runs may need .* GB: free some, give'):
        trained.runner().run()
    assert not list(trained.folder.glob('runs/*/')), 'nothing was started'
    monkeypatch.setattr(room.shutil, 'disk_usage', lambda folder: USAGE(needed))
    assert all(cell['state'] == 'done' for cell in trained.runner().run()['cells'])
    monkeypatch.setattr(room.shutil, 'disk_usage', lambda folder: USAGE(0))
    trained.runner().run()  # all is done
