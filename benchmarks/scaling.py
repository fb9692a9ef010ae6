"""How the bank's update grows in two processes that share each batch: with the batch, and with the categories."""

import os
import tempfile
from collections.abc import Callable
from multiprocessing.queues import SimpleQueue

import torch
import torch.nn.functional as F
from bank import lgka
from harness import Case, main
from models import WIDTH
from torch import distributed, multiprocessing

#: Of the global batch, and of the categories.
Sizes = tuple[tuple[int, int], ...]


def join(rank: int, folder: str, sizes: Sizes) -> list[Callable[[], None]]:
    """Join the other process; the updates of each size, half of the batch here."""
    torch.set_num_threads(1)
    distributed.init_process_group('gloo', f'file://{folder}/rendezvous', rank=rank, world_size=2)
    return [update(batch // 2, categories) for batch, categories in sizes]


def update(batch: int, categories: int) -> Callable[[], None]:
    """One update of that size, on the CPU."""
    torch.manual_seed(0)
    module = lgka(categories).cpu()
    features, labels = F.normalize(torch.randn(batch, WIDTH), dim=1), torch.randint(categories, (batch, ))
    return lambda: module.begin_update(features, labels)()


def follow(folder: str, sizes: Sizes, orders: SimpleQueue) -> None:
    """The second process: take part in every update that the first begins."""
    updates = join(1, folder, sizes)
    while True:
        updates[orders.get()]()


def cases(quick: bool) -> list[Case]:
    """Ever larger batches, and ever more categories."""
    os.environ['LGD_CACHE_DIR'] = tempfile.mkdtemp()
    batches = tuple((size, 1_000) for size in ((512, 2048) if quick else (512, 1024, 2048, 4096)))
    categories = tuple((2048, count) for count in ((1_000, 10_000) if quick else (1_000, 10_000, 100_000)))
    folder, fork = tempfile.mkdtemp(), multiprocessing.get_context('fork')
    orders = fork.SimpleQueue()
    fork.Process(target=follow, args=(folder, batches + categories, orders), daemon=True).start()
    updates = join(0, folder, batches + categories)

    def together(index: int) -> Callable[[], None]:
        def run() -> None:
            orders.put(index)
            updates[index]()
        return run

    larger = {f'B = {batch:,}': together(index) for index, (batch, _) in enumerate(batches)}
    more = {f'C = {count:,}': together(len(batches) + index) for index, (_, count) in enumerate(categories)}
    return [Case('two processes, C = 1,000', larger, baseline=next(iter(larger))),
            Case('two processes, B = 2,048', more, baseline=next(iter(more)))]


if __name__ == '__main__':
    main(cases, __doc__ or '')
    for process in multiprocessing.active_children():  # it waits for orders
        process.kill()
    os._exit(0)  # gloo would wait for it
