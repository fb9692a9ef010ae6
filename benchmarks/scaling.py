"""How the bank's update grows: with the batch, with the categories, and over two processes."""

import os
import socket
import tempfile
from collections.abc import Callable

import torch
import torch.nn.functional as F
from bank import lgka
from harness import Case, main
from models import WIDTH
from torch import distributed, multiprocessing

CATEGORIES = 1_000


def update(batch: int, categories: int) -> Callable[[], None]:
    """One update of that size."""
    torch.manual_seed(0)
    module = lgka(categories).cpu()
    features, labels = F.normalize(torch.randn(batch, WIDTH), dim=1), torch.randint(categories, (batch, ))
    return lambda: module.begin_update(features, labels)()


def batches(sizes: tuple[int, ...]) -> Case:
    """Ever larger batches."""
    return Case(f'C = {CATEGORIES:,}, larger batches', {f'B = {size:,}': update(size, CATEGORIES) for size in sizes},
                baseline=f'B = {sizes[0]:,}')


def _partner(port: int, sizes: tuple[int, ...], orders: multiprocessing.SimpleQueue) -> None:
    """The second process: does each update that the first begins."""
    torch.set_num_threads(1)
    distributed.init_process_group('gloo', f'tcp://127.0.0.1:{port}', rank=1, world_size=2)
    updates = [update(1024, size) for size in sizes]
    while (order := orders.get()) is not None:
        updates[order]()


def processes(sizes: tuple[int, ...]) -> Case:
    """A global batch of 2,048 by one process, and by two over gloo, each with half of it."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    alone = {f'1 process, C = {size:,}': update(2048, size) for size in sizes}
    orders = multiprocessing.get_context('spawn').SimpleQueue()
    multiprocessing.spawn(_partner_of, (port, sizes, orders), join=False)
    distributed.init_process_group('gloo', f'tcp://127.0.0.1:{port}', rank=0, world_size=2)
    halves = [update(1024, size) for size in sizes]

    def together(index: int) -> Callable[[], None]:
        def run() -> None:
            orders.put(index)
            halves[index]()
        return run

    del alone
    return Case('B = 2,048 over 2 processes', {
        f'C = {size:,}': together(index) for index, size in enumerate(sizes)}, baseline=f'C = {sizes[0]:,}')


def _partner_of(_: int, port: int, sizes: tuple[int, ...], orders: multiprocessing.SimpleQueue) -> None:
    _partner(port, sizes, orders)


def cases(quick: bool) -> list[Case]:
    """All comparisons."""
    os.environ['LGD_CACHE_DIR'] = tempfile.mkdtemp()
    categories = (1_000, 10_000) if quick else (1_000, 10_000, 100_000)
    return [batches((256, 1024) if quick else (256, 512, 1024, 2048, 4096)), processes(categories)]


if __name__ == '__main__':
    main(cases, __doc__ or '')
    if distributed.is_initialized():
        os._exit(0)
