"""Top-1 of classifiers of few labels, over several draws of these."""

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any, NamedTuple

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from lgd_mm.registry import METRICS


class Shots(NamedTuple):
    """Top-1 on the test images, in percent.

    Attributes:
        shots (int): Labelled images of each class.
        top1 (tuple[float, ...]): Of each draw.
    """

    shots: int
    top1: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the draws."""
        return mean(self.top1)

    @property
    def std(self) -> float | None:
        """Over the draws, with n - 1; None of a single one."""
        return stdev(self.top1) if len(self.top1) > 1 else None


def of_predictions(shots: Sequence[int], predicted: Tensor, labels: Tensor) -> list[Shots]:
    """Count what is right.

    Args:
        shots (Sequence[int]): S numbers of images of each class.
        predicted (Tensor): Classes (N, S, D) of N images by the classifiers of D draws.
        labels (Tensor): Classes (N, ).

    Returns:
        list[Shots]: One for each number.
    """
    right = 100 * (predicted == labels[:, None, None]).double().mean(dim=0)
    return [Shots(number, tuple(of_one)) for number, of_one in zip(shots, right.tolist())]


@METRICS.register_module()
class FewShotAccuracy(BaseMetric):
    """Of what ``lgd_mm.FewShotProbe`` predicts: ``few-shot/top1_K``, the mean top-1 over the draws of K images of each
    class in percent, and ``few-shot/std_K``, their standard deviation (with n - 1), of several draws.

    Takes the arguments of :class:`mmengine.evaluator.BaseMetric`.
    """

    default_prefix = 'few-shot'

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the predictions of a batch.

        Args:
            data_batch (Any): Not used.
            data_samples (Sequence[dict[str, Any]]): With ``few_shot_label``, ``gt_label`` and ``shots``.
        """
        self.results += [(sample['shots'], sample['few_shot_label'].cpu(), sample['gt_label'].cpu())
                         for sample in data_samples]

    def compute_metrics(self, results: list[tuple[Sequence[int], Tensor, Tensor]]) -> dict[str, float]:
        """Mean and standard deviation of each number of images."""
        shots, predicted, labels = zip(*results)
        figures = {}
        for of_one in of_predictions(shots[0], torch.stack(predicted), torch.cat(labels)):
            figures[f'top1_{of_one.shots}'] = of_one.mean
            if of_one.std is not None:
                figures[f'std_{of_one.shots}'] = of_one.std
        return figures
