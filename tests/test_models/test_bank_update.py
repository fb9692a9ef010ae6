"""Both forms of the bank's update, in one process and in two."""

import pytest
import torch
import torch.nn.functional as F
from torch import multiprocessing

from lgd_mm.models.necks.bank_update import begin_update

BATCH, WIDTH = 12, 5


def batch(categories, seed=0):
    generator = torch.Generator().manual_seed(seed)
    features = F.normalize(torch.randn(BATCH, WIDTH, generator=generator), dim=1)
    return features, torch.randint(0, categories, (BATCH, ), generator=generator)


def start(categories):
    generator = torch.Generator().manual_seed(9)
    return F.normalize(torch.randn(categories, WIDTH, generator=generator), dim=1), torch.zeros(categories).long()


def by_hand(bank, counts, features, labels, momentum, normalize):
    """Category by category."""
    for category in labels.unique().tolist():
        members = features[(labels == category) & features.isfinite().all(dim=1)]
        if len(members) == 0:
            continue
        mean = members.mean(dim=0)
        bank[category] = momentum * bank[category] + (1 - momentum) * mean if counts[category] else mean
        if normalize:
            bank[category] /= bank[category].norm()
        counts[category] += len(members)


@pytest.mark.parametrize('categories', [3, 7, 12, 13, 100], ids=lambda count: f'{count}-categories')
@pytest.mark.parametrize('momentum', [0., 0.9, 1.])
@pytest.mark.parametrize('normalize', [False, True])
def test_both_forms_are_the_loop(categories, momentum, normalize):
    ours, theirs = start(categories), start(categories)
    for seed in range(4):
        features, labels = batch(categories, seed)
        features[3] = float('nan')
        features[4, 2:] = torch.tensor([float('nan'), 0, 0])  # as normalising leaves an infinite entry
        features[4, :2] = 0
        by_hand(*theirs, features, labels, momentum, normalize)
        begin_update(*ours, features, labels, momentum, normalize)()
        torch.testing.assert_close(ours[0], theirs[0], atol=1e-6, rtol=0)
        assert torch.equal(ours[1], theirs[1])
    assert categories < 100 or not ours[1].all()
    assert torch.equal(ours[0][ours[1] == 0], start(categories)[0][ours[1] == 0]), 'absent rows keep their bits'


def one_of_two(rank, categories, folder):
    torch.distributed.init_process_group('gloo', f'file://{folder}/rendezvous', rank=rank, world_size=2)
    bank, counts = start(categories)
    half = slice(rank * BATCH // 2, (rank + 1) * BATCH // 2)
    for seed in range(3):
        features, labels = batch(categories, seed)
        begin_update(bank, counts, features[half], labels[half], 0.9, False)()
    torch.save((bank, counts), f'{folder}/{rank}.pt')
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize('categories', [7, 100])
def test_two_processes_move_as_one(categories, tmp_path):
    multiprocessing.start_processes(one_of_two, (categories, tmp_path), nprocs=2, start_method='fork')
    first, second = (torch.load(tmp_path / f'{rank}.pt', weights_only=True) for rank in (0, 1))
    assert all(map(torch.equal, first, second)), 'the processes must hold the same bits'
    bank, counts = start(categories)
    for seed in range(3):
        begin_update(bank, counts, *batch(categories, seed), 0.9, False)()
    torch.testing.assert_close(first[0], bank, atol=1e-6, rtol=0)
    assert torch.equal(first[1], counts)
