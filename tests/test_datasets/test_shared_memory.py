"""A loader whose workers find no shared memory ends with a sentence, and does not wait for them."""

import errno
import multiprocessing
import resource
from functools import partial

import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import BaseDataElement
from torch.utils.data import DataLoader, default_collate

from lgd_mm.datasets.shared_memory import handed_over, shared
from lgd_mm.errors import UserError


def items(count=4):
    return [(str(index), torch.full((3, 64, 64), float(index))) for index in range(count)] + ['cannot be read']


@pytest.mark.parametrize('collate', [list, pseudo_collate, default_collate])
def test_files_that_may_not_be_that_large(collate):
    """As ulimit -f has it; the thread that hands a batch over would print it and hand over nothing."""
    data = items()[:4] if collate != pseudo_collate else [
        dict(data_samples=BaseDataElement(metainfo=dict(a=1), part=BaseDataElement(pixels=pixels)))
        for _, pixels in items()[:4]]
    bound = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, bound[1]))
    try:
        with pytest.raises(UserError, match='shared memory is full, or its files are bounded, .*--shm-size 8g'):
            list(handed_over(DataLoader(data, 5, num_workers=1, collate_fn=partial(shared, collate), timeout=60), 1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, bound)


def test_a_disk_of_shared_memory_that_is_full(monkeypatch):
    def full():
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(multiprocessing, 'Lock', full)
    with pytest.raises(UserError, match='shared memory is full'):
        list(handed_over([], 1))
    assert list(handed_over([1], 0)) == [1]


@pytest.mark.parametrize('workers', [0, 1])
def test_batches_are_what_they_were(workers):
    (batch, ) = handed_over(DataLoader(items(), 5, num_workers=workers, collate_fn=partial(shared, list)), workers)
    assert [path for path, _ in batch[:4]] == ['0', '1', '2', '3'] and batch[4] == 'cannot be read'
    assert all(torch.equal(pixels, theirs) for (_, pixels), (_, theirs) in zip(batch[:4], items()))


@pytest.mark.parametrize('error', [RuntimeError('wrong'), OSError(errno.EIO, 'Input/output error'),
                                   OSError(errno.ENOSPC, 'No space left on device', 'a.jpg')])
def test_other_errors_pass(error):
    def loader():
        raise error
        yield

    with pytest.raises(type(error)) as raised:
        list(handed_over(loader(), 0))
    assert raised.value is error
