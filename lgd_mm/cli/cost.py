"""``lgd-mm cost``: what a student costs on this machine."""

from pathlib import Path

import click

from lgd_mm.cli.early import check_costing
from lgd_mm.console.progress import LOADING, begin
from lgd_mm.costs.files import write_cost


@click.command()
@click.argument('student')
@click.option('--size', type=click.IntRange(min=1), default=224, show_default=True, metavar='N',
              help='Side of the images, in pixels.')
@click.option('--batch', type=click.IntRange(min=1), default=32, show_default=True, metavar='N',
              help='Images of a pass for the throughput; the latency is of one.')
@click.option('--threads', type=click.IntRange(min=1), multiple=True, metavar='N',
              help='Of the CPU; several, each with --threads.  [default: 1, and all cores]')
@click.option('--json', 'file', metavar='FILE.json', help='Write the figures there, too.')
def cost(student: str, size: int, batch: int, threads: tuple[int, ...], file: str | None) -> None:
    """Measure what STUDENT costs on this machine: parameters, multiply-adds, time, memory, energy.

    STUDENT is the folder of a pre-training, a student's file, or a name (lgd-mm list students). How much other work was
    in the way is measured and told.

    \b
    Examples:
      lgd-mm cost run
      lgd-mm cost timm/repvit_m0_9 --size 256 --threads 1 --json cost.json
    """
    check_costing(student, size, batch, threads, file)
    begin(LOADING)
    from lgd_mm import api
    from lgd_mm.console.tables import PlainConsole
    from lgd_mm.costs.table import cost_table
    measured = api.cost(student, size, batch, threads or None)
    if file is not None:
        write_cost(Path(file), measured)
    PlainConsole().print(cost_table(measured))
