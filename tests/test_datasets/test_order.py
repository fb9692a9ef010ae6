"""Which image comes when, and with which seed: as listed orders and NumPy's own seeds have it, without a list."""

from collections import Counter
from itertools import islice, permutations

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler
from torch.utils.data import BatchSampler

from lgd_mm.datasets import ViewSampler
from lgd_mm.datasets import view_sampler as module
from lgd_mm.datasets.local_permutation import LocalPermutation
from lgd_mm.datasets.permutation import Permutation
from lgd_mm.datasets.view_seeds import view_seed, view_seeds
from lgd_mm.engine.loops import LaterBatches


@pytest.mark.parametrize('count', [1, 2, 3, 4, 5, 16, 17, 1000, 4096, 4097, 2**20 + 1])
def test_each_number_comes_once(count):
    assert np.array_equal(np.sort(Permutation(count, seed=7).at(np.arange(count))), np.arange(count))


def test_places_are_asked_for_in_any_number_and_order():
    whole, places = Permutation(1000, seed=1).at(np.arange(1000)), np.array([999, 3, 3, 500])
    assert np.array_equal(Permutation(1000, seed=1).at(places), whole[places])
    assert len(Permutation(1000, seed=1).at(np.arange(0))) == 0


def test_a_billion_numbers_take_no_memory_and_stay_inside():
    some = Permutation(10**9, seed=0).at(np.arange(10**9 - 1000, 10**9))
    assert some.min() >= 0 and some.max() < 10**9 and len(set(some.tolist())) == 1000


def test_every_order_of_four_comes_as_often():
    """Chi-square over 24 orders: 23 degrees of freedom; 60 has a probability below 1e-4."""
    draws = 6000
    counts = Counter(tuple(Permutation(4, seed).at(np.arange(4)).tolist()) for seed in range(draws))
    expected = draws / 24
    assert sum((counts[order] - expected)**2 for order in permutations(range(4))) / expected < 60


@pytest.mark.parametrize('count', [1000, 5003])
def test_where_numbers_go_is_uniform(count):
    """Over seeds the number at a place is any; in one epoch the set is spread over it, and neighbours part."""
    first = np.array([Permutation(count, seed).at(np.array([0, 1])) for seed in range(4000)])
    bins = np.histogram(first[:, 0], 20, (0, count))[0]
    assert ((bins - 200)**2 / 200).sum() < 50  # 19 degrees of freedom: p = 1e-4
    joint = np.histogram2d(*first.T, bins=5, range=[(0, count)] * 2)[0]
    assert ((joint - 160)**2 / 160).sum() < 60  # 24
    order = Permutation(count, 3).at(np.arange(count))
    assert abs(np.corrcoef(np.arange(count), order)[0, 1]) < 4 / count**0.5
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 4 / count**0.5
    fixed = sum((Permutation(count, seed).at(np.arange(count)) == np.arange(count)).sum() for seed in range(300))
    assert 220 < fixed < 380  # one in a permutation, 300 together: a standard deviation of 17


def test_other_seeds_and_sizes_are_unrelated():
    orders = [Permutation(count, seed).at(np.arange(500)) for count, seed in ((1000, 0), (1000, 1), (1001, 0))]
    assert all((one == other).mean() < 0.02 for one, other in zip(orders, orders[1:]))


@pytest.mark.parametrize('seed, number', [(0, 0), (5, 3), (2**31 - 1, 100), (2**32 + 5, 2), (0, 2**33), (2**70, 1)])
def test_seeds_are_those_of_numpy(seed, number):
    indices = np.array([0, 1, 77, 2**31, 2**32 - 1, 10**6])
    assert view_seeds(seed, number, indices).tolist() == [view_seed(seed, number, int(each)) for each in indices]


def test_images_beyond_four_billion_have_seeds():
    indices = np.array([2**32, 2**40 + 3])
    assert view_seeds(1, 2, indices).tolist() == [view_seed(1, 2, int(each)) for each in indices]


@pytest.mark.parametrize('options', [dict(), dict(shuffle=False), dict(round_up=False)])
@pytest.mark.parametrize('rank, world', [(0, 1), (1, 3), (2, 3)])
def test_the_order_is_that_of_mmengine(monkeypatch, options, rank, world):
    """Of which runs that were begun before have had the first part."""
    monkeypatch.setattr(module, 'AT_A_TIME', 7)
    samplers = [kind(range(50), seed=4, **options) for kind in (ViewSampler, DefaultSampler)]
    for sampler in samplers:
        sampler.rank, sampler.world_size = rank, world
        sampler.num_samples = -(-(50 if sampler.round_up else 50 - rank) // world)
        sampler.total_size = sampler.num_samples * world if sampler.round_up else 50
    for epoch in (0, 2):
        for sampler in samplers:
            sampler.set_epoch(epoch)
        keys, theirs = map(list, samplers)
        assert [key.picture for key in keys] == theirs and len(keys) == len(samplers[0])
        assert [key.seed for key in keys] == [view_seed(4, epoch, index) for index in theirs]


@pytest.mark.parametrize('order', ['listed', 'computed', 'sequential'])
def test_any_number_of_processes_sees_one_order(monkeypatch, order):
    monkeypatch.setattr(module, 'LISTED', 10**6 if order == 'listed' else 10)

    def epoch(world):
        parts = []
        for rank in range(world):
            sampler = ViewSampler(range(1000), seed=2, sequential=order == 'sequential')
            sampler.rank, sampler.world_size = rank, world
            sampler.num_samples, sampler.total_size = 1000 // world, 1000
            parts.append(list(sampler))
        return [key for keys in zip(*parts) for key in keys]

    assert epoch(1) == epoch(4) == epoch(8)
    assert sorted(key.picture for key in epoch(1)) == list(range(1000))


def test_each_permutation_of_a_family_is_one_of_its_own():
    """As those of the windows, which are asked for together."""
    places = np.tile(np.arange(100), 3)
    found = Permutation(100, seed=0).at(places, np.repeat([0, 1, 77], 100)).reshape(3, 100)
    assert all(np.array_equal(np.sort(each), np.arange(100)) for each in found)
    assert np.array_equal(found[0], Permutation(100, seed=0).at(np.arange(100)))
    assert all((found[one] == found[other]).sum() < 10 for one, other in ((0, 1), (0, 2), (1, 2)))


@pytest.mark.parametrize('count', [1, 2, 3, 5, 40, 255, 256, 257, 1000, 4096, 4097, 10_000, 65_536, 300_001])
def test_each_image_comes_once_in_the_local_order(count):
    assert np.array_equal(np.sort(LocalPermutation(count, seed=5).at(np.arange(count))), np.arange(count))


def test_neighbours_come_near_each_other():
    """Of eight processes, each reads few blocks at a time, which no other one reads, and goes through all of them."""
    count, processes = 2**21, 8
    order = LocalPermutation(count, seed=1)
    blocks = order.at(np.arange(count)).reshape(-1, processes).T // 256
    of_one = [set(np.unique(each).tolist()) for each in blocks]
    assert sum(map(len, of_one)) == 2**21 // 256 and len(set.union(*of_one)) == 2**21 // 256
    open_at_once = [len(np.unique(blocks[0, start:start + 4096])) for start in range(0, count // processes, 4096)]
    assert max(open_at_once) <= 2 * 8 * 16  # eight streams of 16 blocks, and those that follow
    # The windows change one after another: the 16 blocks of one begin at once, never those of two.
    first = np.unique(blocks[0], return_index=True)[1]
    begun = np.histogram(first[first > 4096], bins=np.arange(4096, count // processes, 1024))[0]
    assert begun.max() == 16 and (begun > 0).mean() > 0.2


def test_the_local_order_is_mixed():
    """Each batch is of many places of the set, no two epochs are alike, and an image comes anywhere."""
    count = 2**20
    order = LocalPermutation(count, seed=1).at(np.arange(count))
    other = LocalPermutation(count, seed=2).at(np.arange(count))
    batches = order.reshape(-1, 256) // 256
    assert min(len(np.unique(batch)) for batch in batches[::101]) > 150  # of 256
    assert abs(np.corrcoef(np.arange(count), order)[0, 1]) < 0.02
    assert abs(np.corrcoef(order, other)[0, 1]) < 0.02 and (order == other).mean() < 1e-4
    neighbours = np.abs(np.diff(order)) == 1
    assert neighbours.mean() < 1e-3
    of_first = [int(np.flatnonzero(LocalPermutation(5000, seed).at(np.arange(5000)) == 0)[0]) for seed in range(400)]
    counts = np.histogram(of_first, bins=8, range=(0, 5000))[0]
    assert ((counts - 50)**2 / 50).sum() < 30  # chi-square, 7 degrees of freedom: below 1e-4


def test_a_billion_images_have_a_local_order():
    some = LocalPermutation(10**9, seed=0).at(np.arange(10**9 - 1000, 10**9))
    assert some.min() >= 0 and some.max() < 10**9 and len(set(some.tolist())) == 1000


@pytest.mark.parametrize('kind', ['quick', 'other batches'])
def test_an_epoch_goes_on_in_the_middle(kind):
    sampler = ViewSampler(range(1000), seed=2)
    batches = BatchSampler(sampler, 8, drop_last=True)
    if kind == 'other batches':
        batches = type('Batches', (BatchSampler, ), {})(sampler, 8, True)
    whole, later = list(batches), LaterBatches(batches)
    later.skip = 100
    assert list(later) == whole[100:]
    assert list(later) == whole  # the next epoch begins at its beginning
    assert later.of_epoch({3, 7}) == {3: whole[3], 7: whole[7]}
    assert later.of_epoch(()) == {}


def test_the_middle_of_a_huge_epoch_is_reached_at_once():
    class Huge:

        def __len__(self):
            return 10**9

    sampler = ViewSampler(Huge(), seed=0)
    later = LaterBatches(BatchSampler(sampler, 256, drop_last=True))
    later.skip = 3_000_000
    batch = next(iter(later))
    places = np.arange(3_000_000 * 256, 3_000_001 * 256)
    assert [key.picture for key in batch] == Permutation(10**9, 0).at(places).tolist()
    assert [key.seed for key in islice(batch, 2)] == [view_seed(0, 0, key.picture) for key in batch[:2]]


def test_torch_draws_the_listed_order():
    sampler = ViewSampler(range(100), seed=1)
    expected = torch.randperm(100, generator=torch.Generator().manual_seed(1)).tolist()
    assert [key.picture for key in sampler] == expected
