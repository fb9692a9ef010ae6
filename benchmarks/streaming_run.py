"""An epoch in as many processes as there would be GPUs."""

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import torch
from streaming_readers import Reader

#: Images of a step, of all processes together.
STEP = 64


class Run(NamedTuple):
    """What a process saw.

    Attributes:
        batches (list[list[int]]): Numbers of the images.
        state (Any): What the library saves after the last of them.
        first (float): CPU seconds to the first batch.
        rest (float): CPU seconds from there to the last.
        fetched (int): Bytes that the storage gave.
    """

    batches: list[list[int]]
    state: Any
    first: float
    rest: float
    fetched: int


def run(reader: Reader, data: Path, ranks: int, workers: int, batches: int | None = None, state: Any = None,
        shuffled: bool = True) -> list[Run]:
    """Begin an epoch or go on with one.

    Args:
        reader (Reader): Of one library.
        data (Path): Folder of the images in all forms.
        ranks (int): Processes; they share the images of a step.
        workers (int): Loader workers of each.
        batches (int, optional): To stop after. Defaults to None: at the end of the epoch.
        state (Any): What the library saved, to go on from. Defaults to None.
        shuffled (bool): Defaults to True.

    Returns:
        list[Run]: Of each process.
    """
    with tempfile.TemporaryDirectory() as folder:
        return _in_processes(ranks, lambda rank: _process(f'{folder}/met', rank, ranks, reader, data, workers, batches,
                                                         state, shuffled))


def alone(work: Callable[[], Any]) -> Any:
    """What some work gives in a process of its own."""
    return _in_processes(1, lambda rank: work())[0]


def _in_processes(count: int, work: Callable[[int], Any]) -> list[Any]:
    context = multiprocessing.get_context('fork')
    answers = context.SimpleQueue()

    def answer(rank: int) -> None:
        try:
            answers.put((rank, work(rank), None))
        except BaseException as error:
            answers.put((rank, None, repr(error)))

    processes = [context.Process(target=answer, args=(rank, )) for rank in range(count)]
    for process in processes:
        process.start()
    given = sorted((answers.get() for _ in processes), key=lambda answer: answer[0])
    for process in processes:
        process.join()
    for _, _, error in given:
        if error:
            raise RuntimeError(error)
    return [result for _, result, _ in given]


def _process(meeting: str, rank: int, ranks: int, reader: Reader, data: Path, workers: int, batches: int | None,
             state: Any, shuffled: bool) -> Run:
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(ranks), LOCAL_WORLD_SIZE=str(ranks))
    torch.set_num_threads(1)
    if ranks > 1:
        torch.distributed.init_process_group('gloo', init_method=f'file://{meeting}', rank=rank, world_size=ranks)
    before, start = _fetched(), time.process_time()
    epoch = reader(data, STEP // ranks, workers, shuffled, state)
    seen = [next(epoch.batches).tolist()]
    came = time.process_time()
    seen += [batch.tolist() for batch in islice(epoch.batches, None if batches is None else batches - 1)]
    end = time.process_time()
    saved = epoch.state()
    if ranks > 1:
        torch.distributed.barrier()  # the shared memory of one is that of the others
    del epoch
    return Run(seen, saved, came - start, end - came, _fetched() - before)


def _fetched() -> int:
    """Bytes that the storage has given to this process."""
    with open('/proc/self/io') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('read_bytes'))
