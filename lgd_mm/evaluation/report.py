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
    """Figures of the test images, in percent, top-1 if not said otherwise; None for what was not done.

    Attributes:
        zero_shot (float, optional): Against the names.
        names (int, optional): How many names there were.
        knn (float, optional): Vote of the nearest training images.
        k (int, optional): How many voted.
        temperature (float, optional): Of their votes.
        rates (list[Rate]): Linear probes.
        few_shot (list[Shots]): Logistic regression of a few images of each class.
        retrieval (float, optional): Mean average precision of each image among all others.
        outliers (float, optional): Area under the ROC curve of the test images against those of no class, by the
            similarity of the k-th training image.
    """

    zero_shot: float | None = None
    names: int | None = None
    knn: float | None = None
    k: int | None = None
    temperature: float | None = None
    rates: list[Rate] = field(default_factory=list)
    few_shot: list[Shots] = field(default_factory=list)
    retrieval: float | None = None
    outliers: float | None = None

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
    chosen = results.chosen
    if results.zero_shot is not None:
        table.add_row(f'zero-shot, {results.names} names', f'{results.zero_shot:.2f}')
    if results.knn is not None:
        table.add_row(f'k-NN, k = {results.k}, T = {results.temperature}', f'{results.knn:.2f}')
    parts: list[RenderableType] = [table]
    if results.few_shot:
        few = Table('images of each class', 'test top-1 (%)', 'draws')
        for of_one in results.few_shot:
            spread = '' if of_one.std is None else f' ± {of_one.std:.2f}'
            few.add_row(str(of_one.shots), f'{of_one.mean:.2f}{spread}', str(len(of_one.top1)))
        parts.append(few)
    if chosen is not None:
        table.add_row(f'linear probe, rate {chosen.rate:g}', f'{chosen.test:.2f}')
        parts.append(_sweep(results.rates, chosen))
    others = Table('beside accuracy', '%')
    if results.retrieval is not None:
        others.add_row('retrieval among the test images, mAP', f'{results.retrieval:.2f}')
    if results.outliers is not None:
        others.add_row(f'outliers by neighbour {results.k}, AUROC', f'{results.outliers:.2f}')
    return Group(*parts, *([others] if others.row_count else []))


def _sweep(rates: list[Rate], chosen: Rate) -> Table:
    sweep = Table('rate of the probe', 'held-out top-1 (%)', 'test top-1 (%)')
    for rate in rates:
        sweep.add_row(f'{rate.rate:g}', f'{rate.held_out:.2f}', f'{rate.test:.2f}', style='bold' * (rate == chosen))
    return sweep
