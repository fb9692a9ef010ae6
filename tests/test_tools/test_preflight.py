"""What is refused before a run, and what is left alone."""

from collections import OrderedDict
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import DefaultSampler, InfiniteSampler
from torch.utils.data import DataLoader

from lgd_mm.engine.checks import preflight
from lgd_mm.engine.failures import user_errors
from lgd_mm.errors import UserError


@pytest.mark.parametrize('dataset', [
    dict(type='CIFAR10', data_root='/gone'),
    dict(type='mmpretrain.MNIST', data_root='/gone', download=True),
    dict(type='CocoDataset', data_root='s3', ann_file='a.json', backend_args=dict(backend='petrel')),
    dict(type='CocoDataset', data_root='/tmp', ann_file=['a.json', 'b.json'], data_prefix=dict(img=None)),
])
def test_data_that_need_not_be_here(dataset):
    """Downloaded, stored elsewhere, or not named by one path."""
    preflight.check_data(Config(dict(train_dataloader=dict(dataset=dataset))), 'train')


@pytest.mark.parametrize('dataset', [
    dict(type='CIFAR10', data_root='/gone', download=False),
    dict(type='CocoDataset', data_root='/gone', backend_args=dict(backend='local')),
    dict(type='CocoDataset', data_root='/gone', backend_args=None),
])
def test_data_that_must_be_here(dataset):
    """Everything else."""
    with pytest.raises(UserError, match=r'^/gone does not exist \(train_dataloader.dataset.data_root\)'):
        preflight.check_data(Config(dict(train_dataloader=dict(dataset=dataset))), 'train')


@pytest.mark.parametrize(('pictures', 'sampler', 'drop_last', 'trains'), [
    (4, DefaultSampler, True, True),
    (3, DefaultSampler, True, False),
    (3, DefaultSampler, False, True),
    (3, InfiniteSampler, True, True),
])
def test_fewer_images_than_a_batch(pictures, sampler, drop_last, trains):
    """Refused only where they would make no batch."""
    dataset = list(range(pictures))
    loader = DataLoader(dataset, batch_size=4, sampler=sampler(dataset), drop_last=drop_last)
    runner = SimpleNamespace(train_loop=SimpleNamespace(dataloader=loader), world_size=1,
                             cfg=Config(dict(train_dataloader=dict(batch_size=4))))
    if trains:
        assert len(next(iter(loader))) in (pictures, 4)
        preflight.check_batches(runner)
    else:
        with pytest.raises(UserError, match='has 3 images, fewer than a batch of 4'):
            preflight.check_batches(runner)


@pytest.mark.parametrize(('lengths', 'wrapper', 'said'), [
    ([1, 1], 'OptimWrapper', None),
    ([1, 2], 'lgd_mm.ReadOnlyOptimWrapper', None),
    ([1, 2], 'OptimWrapper', 'gives the processes 1 and 2 batches .* train_dataloader.sampler.round_up=True'),
    ([1, 0], 'lgd_mm.ReadOnlyOptimWrapper', 'has 4 images, fewer than a batch of 4 x 2 processes'),
])
def test_processes_with_other_numbers_of_batches(monkeypatch, lengths, wrapper, said):
    """Those that take steps together would wait for each other for ever; every process says so."""
    monkeypatch.setattr(preflight, 'all_gather_object', lambda mine: lengths)
    runner = SimpleNamespace(
        train_loop=SimpleNamespace(dataloader=DataLoader(range(4), batch_size=4)), world_size=2,
        cfg=Config(dict(train_dataloader=dict(batch_size=4), optim_wrapper=dict(type=wrapper))))
    if said is None:
        preflight.check_batches(runner)
    else:
        with pytest.raises(UserError, match=said):
            preflight.check_batches(runner)


class Renamed(torch.nn.Linear):
    """Knows the name that its weight had in version 1."""

    _version = 2

    def _load_from_state_dict(self, state_dict, prefix, local_metadata, *args):
        if local_metadata.get('version') == 1:
            state_dict[f'{prefix}weight'] = state_dict.pop(f'{prefix}old')
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *args)


def test_weights_of_an_older_version_are_converted():
    """By the modules, before they are compared; so are the names of a distributed run."""
    model = torch.nn.Sequential(Renamed(2, 2, bias=False))
    weights = OrderedDict({'module.0.old': torch.ones(2, 2)})
    weights._metadata = {'0': dict(version=1)}
    preflight.check_weights(model, weights, 'old.pth')
    assert 'module.0.old' in weights
    with pytest.raises(UserError, match=r'of 1 keys 1 missing \(0.weight\), 1 unexpected \(0.old\)'):
        preflight.check_weights(model, OrderedDict(weights), 'old.pth')


def test_an_error_without_words_stays_one(tmp_path):
    """No other error on the way."""
    with pytest.raises(UserError, match='^$'), user_errors(Config(dict(work_dir=str(tmp_path))), ''):
        raise UserError('')
