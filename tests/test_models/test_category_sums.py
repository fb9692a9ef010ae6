"""Both ways to sum features by category, in one process and in two."""

import pytest
import torch
from torch import multiprocessing

from lgd_mm.models.necks import category_sums
from lgd_mm.models.necks.category_sums import begin_sums

BATCH, WIDTH = 12, 5


def samples(seed=0, categories=7):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(BATCH, WIDTH, generator=generator)
    features[:, -1] = 1
    return features, torch.randint(0, categories, (BATCH, ), generator=generator)


def dense(rows, sums, categories):
    """The sums of every category, from those of the touched ones."""
    return sums if rows is None else torch.zeros(categories, WIDTH).index_add_(0, rows, sums)


@pytest.mark.parametrize('labels', [None, [3] * BATCH, list(range(BATCH)), [0] * 11 + [99]])
def test_touched_rows_hold_the_same_bits(labels):
    features, drawn = samples(categories=100)
    labels = drawn if labels is None else torch.tensor(labels)
    rows, sums = begin_sums(features, labels, 100)()
    assert rows.shape == (BATCH, ) and sums.shape == (BATCH, WIDTH)
    assert set(rows.tolist()) == set(labels.tolist())
    assert torch.equal(dense(rows, sums, 100), torch.zeros(100, WIDTH).index_add_(0, labels, features))


def test_few_categories_are_all_summed():
    features, labels = samples()
    rows, sums = begin_sums(features, labels, 7)()
    assert rows is None and torch.equal(sums, torch.zeros(7, WIDTH).index_add_(0, labels, features))


def one_of_two(rank, categories, folder):
    torch.distributed.init_process_group('gloo', f'file://{folder}/rendezvous', rank=rank, world_size=2)
    features, labels = samples(categories=categories)
    half = slice(rank * BATCH // 2, (rank + 1) * BATCH // 2)
    torch.save(begin_sums(features[half], labels[half], categories)(), f'{folder}/{rank}.pt')
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize('categories', [7, 100])
def test_two_processes_sum_as_one(categories, tmp_path):
    assert (categories > category_sums.CATEGORIES_PER_SAMPLE * BATCH) == (categories == 100)
    multiprocessing.start_processes(one_of_two, (categories, tmp_path), nprocs=2, start_method='fork')
    first, second = (torch.load(tmp_path / f'{rank}.pt', weights_only=True) for rank in (0, 1))
    for ours, theirs in zip(first, second):
        assert ours is theirs or torch.equal(ours, theirs), 'the processes must hold the same bits'
    features, labels = samples(categories=categories)
    expected = torch.zeros(categories, WIDTH).index_add_(0, labels, features)
    torch.testing.assert_close(dense(*first, categories), expected, atol=1e-6, rtol=0)
