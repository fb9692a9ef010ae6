"""The figures of a student, and their table."""

from dataclasses import dataclass, field
from typing import NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table

from lgd_mm.evaluation.few_shot_accuracy import Shots


class Rate(NamedTuple):
    """A learning rate of the linear probe, with its top-1 in percent.

    Attributes:
        rate (float): The learning rate.
        held_out (float): On the training images that were held out.
        test (float): On the test images.
    """

    rate: float
    held_out: float
    test: float


@dataclass
class Results:
    """Top-1 on the test images, in percent; None for what was not done.

    Attributes:
        zero_shot (float, optional): Against the names.
        names (int, optional): How many names there were.
        knn (float, optional): Vote of the nearest training images.
        k (int, optional): How many voted.
        temperature (float, optional): Of their votes.
        rates (list[Rate]): Linear probes.
        few_shot (list[Shots]): Logistic regression of a few images of each class.
    """

    zero_shot: float | None = None
    names: int | None = None
    knn: float | None = None
    k: int | None = None
    temperature: float | None = None
    rates: list[Rate] = field(default_factory=list)
    few_shot: list[Shots] = field(default_factory=list)

    @property
    def chosen(self) -> Rate | None:
        """The rate that is best on the held-out images; of equal ones the smallest."""
        return max(sorted(self.rates), key=lambda rate: rate.held_out, default=None)


def results_table(results: Results) -> RenderableType:
    """A row for each way to evaluate, below it one for each number of images, and one for each rate of the probe.

    Args:
        results (Results): Of :func:`lgd_mm.evaluation.evaluate_features`.

    Returns:
        RenderableType: For a rich console.
    """
    table = Table('evaluation', 'test top-1 (%)')
    tables, chosen = [table], results.chosen
    if results.zero_shot is not None:
        table.add_row(f'zero-shot, {results.names} names', f'{results.zero_shot:.2f}')
    if results.knn is not None:
        table.add_row(f'k-NN, k = {results.k}, T = {results.temperature}', f'{results.knn:.2f}')
    if results.few_shot:
        few = Table('images of each class', 'test top-1 (%)', 'draws')
        for of_one in results.few_shot:
            spread = '' if of_one.std is None else f' ± {of_one.std:.2f}'
            few.add_row(str(of_one.shots), f'{of_one.mean:.2f}{spread}', str(len(of_one.top1)))
        tables.append(few)
    if chosen is None:
        return Group(*tables)
    table.add_row(f'linear probe, rate {chosen.rate:g}', f'{chosen.test:.2f}')
    sweep = Table('rate of the probe', 'held-out top-1 (%)', 'test top-1 (%)')
    for rate in results.rates:
        sweep.add_row(f'{rate.rate:g}', f'{rate.held_out:.2f}', f'{rate.test:.2f}', style='bold' * (rate == chosen))
    return Group(*tables, sweep)
