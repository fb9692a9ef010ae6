"""Libraries that read images from shards: is an epoch's order the seed's alone, and what does a stop change?

Each reads the same images in processes of its own, as many as there would be GPUs, and says which it has read. Those
that are not installed are named and left out: pip install litdata mosaicml-streaming webdataset.
"""

import argparse
import importlib
import os
import resource
import statistics
import tarfile
import tempfile
import warnings
from collections.abc import Callable
from importlib import metadata, util
from pathlib import Path

import numpy as np
from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Table
from shard_files import forget
from streaming_readers import PACKAGES, READERS, SEED, Reader, write
from streaming_run import STEP, Run, alone, run

#: Processes and workers of each: of the run that is stopped, and of those that go on with it.
STOPPED, GO_ON = (2, 2), ((2, 2), (1, 2), (4, 2), (2, 1))
#: Processes and workers that are to see what one process with two workers sees.
OTHERS = ((1, 2), (2, 2), (4, 2), (1, 3))


def steps(runs: list[Run]) -> list[frozenset[int]]:
    """The images of each step, of all processes together."""
    return [frozenset().union(*batches) for batches in zip(*(run.batches for run in runs))]


def same(some: list[frozenset[int]], others: list[frozenset[int]]) -> str:
    """How many steps are the same, of those of the second run."""
    return f'{sum(map(frozenset.__eq__, some, others))} of {len(others)}'


def orders(reader: Reader, data: Path) -> list[str]:
    """Steps of other processes and workers that are those of one process with two workers."""
    one = steps(run(reader, data, 1, 2))
    return [same(steps(run(reader, data, *others)), one) for others in OTHERS]


def resumed(reader: Reader, data: Path, stop: int) -> list[str]:
    """After a stop: steps as in the run that was not stopped, images seen again, images never seen."""
    whole, first = steps(run(reader, data, *STOPPED)), run(reader, data, *STOPPED, batches=stop)
    before, cells = frozenset().union(*whole[:stop]), []
    for others in GO_ON:
        rest = run(reader, data, *others, state=first[0].state)
        after = [image for process in rest for batch in process.batches for image in batch]
        again = len(after) - len(frozenset(after) - before)
        lost = frozenset().union(*whole) - before - frozenset(after)
        cells.append(f'{same(steps(rest), whole[stop:])}; {again}; {len(lost)}')
    return cells


def cost(reader: Reader, data: Path, rounds: int) -> list[str]:
    """Going on after 7/8 of an epoch: CPU time to the first batch beyond that of a new epoch, and bytes that the
    storage gave beyond those of the rest; both in units of what was consumed."""
    [whole] = run(reader, data, 1, 0)
    stop = len(whole.batches) * 7 // 8
    with tarfile.open(next((data / 'tars').iterdir())) as tar:
        step = STEP * tar.next().size
    times, shares = [], []
    for _ in range(rounds):
        [fresh] = run(reader, data, 1, 0, batches=stop)
        forget(data)
        [late] = run(reader, data, 1, 0, state=fresh.state)
        times.append((late.first - fresh.first) / fresh.rest)
        shares.append((late.fetched - len(late.batches) * step) / (stop * step))
    return [spread(times), spread(shares)]


def speed(readers: dict[str, Reader], data: Path, rounds: int) -> dict[str, list[str]]:
    """Images in order, in one process without workers, the files in the page cache: times as fast as the plain tar, in
    alternation, after a round that does not count."""
    rates: dict[str, list[float]] = {name: [] for name in readers}
    for _ in range(rounds + 1):
        for name, reader in readers.items():
            [one] = run(reader, data, 1, 0, shuffled=False)
            rates[name].append(sum(map(len, one.batches[1:])) / one.rest)
    return {name: [f'{statistics.median(mine[1:]):,.0f}',
                   spread([rate / plain for rate, plain in zip(mine[1:], rates['plain tar'][1:])])]
            for name, mine in rates.items()}


def spread(values: list[float]) -> str:
    """Median and distance between the quartiles."""
    low, _, high = statistics.quantiles(values, n=4) if len(values) > 1 else (0, 0, 0)
    return f'{statistics.median(values):.2f} ± {high - low:.2f}'


def order_of_lgd_mm(images: int, shard: int) -> None:
    """The first step of an epoch."""
    from lgd_mm.datasets.permutation import Permutation
    Permutation(images, SEED).at(np.arange(STEP))


def order_of_litdata(images: int, shard: int) -> None:
    """What each of its workers makes, to go on with another number of processes."""
    from litdata.streaming.elastic import canonical_item_stream, restripe_items
    stream = canonical_item_stream([[0, 0, shard, shard]] * (images // shard), seed=SEED, epoch=1, shuffle=True)
    restripe_items(stream, world_size=8, num_workers=8, batch_size=STEP)


def order_of_streaming(images: int, shard: int) -> None:
    """What each machine makes at the start of an epoch, and when it goes on."""
    from streaming.base.partition import get_partitions
    from streaming.base.shuffle import get_shuffle
    places = get_partitions('relaxed', images, 1, 1, 8, 8, STEP, 0, 1)
    order = get_shuffle('py1e', np.full(images // shard, shard), 1, SEED, 0)
    np.where(places != -1, order[places], -1)


ORDERS = {'lgd_mm': order_of_lgd_mm, 'litdata': order_of_litdata, 'mosaicml-streaming': order_of_streaming}


def bytes_of_order(order: Callable[[int, int], None], images: int) -> list[str]:
    """Memory that a process needs at most to know the order, for each image."""
    def peak() -> float:
        with open('/proc/self/statm') as file:
            before = int(file.read().split()[1]) * resource.getpagesize()
        order(images, 10_000)
        return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before) / images

    return [f'{alone(peak):.1f}']


def packages(name: str) -> list[str]:
    """Version, and what it needs that this package does not: distributions and megabytes."""
    added = needs(name) - needs('lgd_mm')
    size = sum(file.size or 0 for package in added for file in metadata.files(package) or ())
    return [metadata.version(name), f'{len(added)}', f'{size / 1e6:.0f} MB']


def needs(name: str, known: frozenset[str] = frozenset()) -> frozenset[str]:
    """A distribution and all that must be installed with it."""
    try:
        requirements = map(Requirement, metadata.requires(name) or ())
    except metadata.PackageNotFoundError:  # left out on purpose
        return known
    known |= {name.lower().replace('_', '-')}
    for requirement in requirements:
        wanted = requirement.marker is None or requirement.marker.evaluate(dict(extra=''))
        if wanted and requirement.name.lower().replace('_', '-') not in known:
            known |= needs(requirement.name, known)
    return known


def print_table(title: str, columns: list[str], rows: dict[str, list[str]]) -> None:
    """One question, a row for each library."""
    table = Table('', *columns, title=title)
    for name, cells in rows.items():
        table.add_row(name, *cells)
    Console(width=120).print(table)


def main() -> None:
    """Ask all questions, a table each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--images', type=int, default=4096, help='of the set (default: 4096)')
    parser.add_argument('--size', type=int, default=16384, help='bytes of an image (default: 16384)')
    parser.add_argument('--rounds', type=int, default=9, metavar='N', help='of timing (default: 9)')
    args = parser.parse_args()
    warnings.simplefilter('ignore')  # the libraries': workers beyond the cores, shared memory that is left
    os.environ['PYTHONWARNINGS'] = 'ignore'
    missing = {name for name, package in PACKAGES.items() if not util.find_spec(package)}
    for name in sorted(missing):
        print(f'{name} is left out: it is not installed')
    readers = {name: reader for name, reader in READERS.items() if name not in missing}
    for name in readers.keys() & PACKAGES.keys():
        importlib.import_module(PACKAGES[name])  # before the processes begin, none of whose time it is
    asked = {name: reader for name, reader in readers.items() if name != 'plain tar'}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        os.environ['LGD_CACHE_DIR'] = str(data / 'cache')
        write(data, args.images, args.size)
        print_table('steps as of 1 process x 2 workers', [f'{ranks} x {workers}' for ranks, workers in OTHERS],
                    {name: orders(reader, data) for name, reader in asked.items()})
        for stop in (20, 21):
            print_table(f'2 x 2, stopped after step {stop}: steps as without the stop; images again; images lost',
                        [f'{ranks} x {workers}' for ranks, workers in GO_ON],
                        {name: resumed(reader, data, stop) for name, reader in asked.items()})
        print_table('going on after 7/8, in units of what was consumed', ['CPU time', 'bytes from the storage'],
                    {name: cost(reader, data, args.rounds) for name, reader in asked.items()})
        print_table('in order', ['images/CPU second', 'of plain tar'], speed(readers, data, args.rounds))
    print_table('the order of 4,000,000 images', ['bytes of memory for each'],
                {name: bytes_of_order(order, 4_000_000) for name, order in ORDERS.items() if name in readers})
    print_table('needed beside lgd_mm', ['version', 'packages', 'size'],
                {name: packages(name) for name in ('webdataset', 'litdata', 'mosaicml-streaming') if name in readers})


if __name__ == '__main__':
    main()
