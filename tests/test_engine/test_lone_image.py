"""Batch norms that would meet an image alone are told before the training."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import DefaultSampler, InfiniteSampler, pseudo_collate
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import DataLoader

from lgd_mm.api.finetuning import _batch_size
from lgd_mm.engine.checks.lone_image import check_lone_image
from lgd_mm.errors import UserError
from tests.faults.conftest import run_here
from tests.tiny import write_images, write_lgd_config


class Pooling(BaseModel):
    """Normalises one value an image, as the largest pool of PSPNet does, or all positions of it."""

    def __init__(self, positions) -> None:
        super().__init__()
        self.pool, self.norm = nn.AdaptiveAvgPool2d(positions), nn.BatchNorm2d(3)
        self.dropout = nn.Dropout()
        self.register_buffer('queue', torch.zeros(1))

    def forward(self, inputs, mode) -> dict:
        assert mode == 'loss'
        self.queue += 1
        return dict(loss=self.dropout(self.norm(self.pool(torch.stack(inputs)))).sum())


def _runner(images, size, positions=1, drop_last=False, sampler=DefaultSampler):
    dataset = [dict(inputs=torch.rand(3, 4, 4)) for _ in range(images)]
    batches = torch.utils.data.BatchSampler(sampler(dataset), size, drop_last)
    loader = DataLoader(dataset, batch_sampler=batches, collate_fn=pseudo_collate)
    return SimpleNamespace(train_loop=SimpleNamespace(dataloader=loader), model=Pooling(positions),
                           world_size=1)


@pytest.mark.parametrize('images, size, settings, sentence', [
    (1, 1, {}, 'batch_size is 1, and batch normalisation needs two .* 2 or more .*, and more than one image'),
    (6, 1, {}, 'batch_size is 1, and .*--batch-size 2, or --cfg-options train_dataloader.batch_size=2\\)$'),
    (1, 1, dict(sampler=InfiniteSampler), 'train_dataloader.batch_size=2\\)$'),
    (9, 4, {}, 'of 9 images, the last batch of an epoch has a single one, .* another batch than 4 .*drop_last=True'),
    (9, 4, dict(drop_last=True), None),
    (9, 4, dict(sampler=InfiniteSampler), None),
    (8, 4, {}, None),
    (9, 4, dict(positions=2), None),
    (6, 1, dict(positions=2), None),
])
def test_told_only_where_it_would_fail(images, size, settings, sentence):
    runner = _runner(images, size, **settings)
    state = {key: value.clone() for key, value in runner.model.state_dict().items()}
    random = torch.get_rng_state()
    if sentence is None:
        check_lone_image(runner)
    else:
        with pytest.raises(UserError, match=sentence):
            check_lone_image(runner)
    assert all(torch.equal(state[key], value) for key, value in runner.model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert all(module.training for module in runner.model.modules() if not isinstance(module, BaseModel))


def test_a_pre_training(tmp_path):
    write_images(tmp_path / 'pictures', 3)
    config = write_lgd_config(tmp_path, tmp_path / 'pictures')
    with pytest.raises(UserError, match='train_dataloader.batch_size is 1, and batch normalisation needs two images'):
        run_here(config, tmp_path / 'run', **{'train_dataloader.batch_size': 1,
                                              'train_dataloader.dataset.pipeline.1.size': 32})
    assert not (tmp_path / 'run').exists()


@pytest.mark.parametrize('sampler, most, images, processes, size', [
    ('InfiniteSampler', 4, 1, 1, 2), ('mmseg.InfiniteSampler', 4, 9, 1, 4), ('DefaultSampler', 8, 9, 1, 7),
    ('DefaultSampler', 2, 3, 1, 3), ('DefaultSampler', 8, 16, 1, 8), ('DefaultSampler', 8, 17, 2, 7),
    ('DefaultSampler', 4, 9, 2, 3), ('DefaultSampler', 16, 1, 1, 1)])
def test_a_batch_of_our_own_choice_leaves_none_alone(sampler, most, images, processes, size):
    cfg = Config(dict(train_dataloader=dict(sampler=dict(type=sampler))))
    assert _batch_size(cfg, most, images, processes) == size
