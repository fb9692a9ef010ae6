"""What is measured of held-out images: how many directions the embeddings fill, and whether classes can be told."""

import math
import operator
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.evaluator import BaseMetric
from torch import Tensor

from lgd_mm.models.classifiers.knn import shares_of_votes
from lgd_mm.models.common import check_number
from lgd_mm.registry import METRICS

#: Images that are compared with all others at a time.
CHUNK = 1024
#: Of the paper's definition of RankMe.
EPSILON = 1e-7


class StudentMetric(BaseMetric):
    """A figure of what :class:`lgd_mm.watching.StudentValLoop` hands over of each image.

    Attributes:
        needs (str): ``'nothing'`` but images, ``'classes'``, or ``'names'`` of the pre-training.
    """

    needs = 'nothing'
    keys: tuple[str, ...] = ()

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep what the figure is made of.

        Args:
            data_batch (Any): Not looked at.
            data_samples (Sequence[dict]): See :func:`lgd_mm.watching.loop.looked_at`.
        """
        self.results += [tuple(sample[key] for key in self.keys) for sample in data_samples]


@METRICS.register_module()
class RankMe(StudentMetric):
    """The effective rank of the embeddings (Garrido et al., `arXiv:2210.02885 <https://arxiv.org/abs/2210.02885>`_):
    ``embedding/rankme``, from 1, where all images get the same, to the smaller of images and dimensions.

    It needs no labels. Only figures of the same images compare.
    """

    default_prefix = 'embedding'
    keys = ('embedding', )

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Of the embeddings of all processes."""
        return dict(rankme=rank_me(torch.stack([embedding for embedding, in results])))


@METRICS.register_module()
class NeighbourAccuracy(StudentMetric):
    """Top-1 of k-NN on the pooled features of the backbone: ``knn/top1`` in percent; NaN if a feature is not finite.

    The other images vote on each one, with the weights of :class:`lgd_mm.models.classifiers.knn.KNNClassifier`.

    Args:
        k (int): Neighbours that vote, if there are as many. Defaults to 20.
        temperature (float): Defaults to 0.07.
        **kwargs: See :class:`mmengine.evaluator.BaseMetric`.

    Raises:
        UserError: If a number cannot be one.
    """

    default_prefix = 'knn'
    needs = 'classes'
    keys = ('feature', 'label')

    def __init__(self, k: int = 20, temperature: float = 0.07, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        check_number('val_evaluator.k', k, least=1)
        check_number('val_evaluator.temperature', temperature, above=True)
        self.k, self.temperature = k, temperature

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Of the features of all processes."""
        features, labels = zip(*results)
        stacked = torch.stack(features)
        if not stacked.isfinite().all():
            return dict(top1=math.nan)
        right = leave_one_out(stacked, torch.tensor(labels), self.k, self.temperature)
        return dict(top1=100 * float(right.double().mean()))


@METRICS.register_module()
class ZeroShotAccuracy(StudentMetric):
    """Top-1 by the names of the pre-training: ``zero-shot/top1`` in percent; NaN if an embedding is not finite.

    All names are candidates, also those that no class folder has.
    """

    default_prefix = 'zero-shot'
    needs = 'names'
    keys = ('embedding', 'taken_for', 'name')

    def compute_metrics(self, results: list[Any]) -> dict[str, float]:
        """Of the guesses of all processes."""
        embeddings, guesses, names = zip(*results)
        if not torch.stack(embeddings).isfinite().all():
            return dict(top1=math.nan)
        return dict(top1=100 * sum(map(operator.eq, guesses, names)) / len(results))


def rank_me(embeddings: Tensor) -> float:
    """The exponential of the entropy of the singular values, as shares of their sum.

    Args:
        embeddings (Tensor): (N, D), neither centred nor normalised.

    Returns:
        float: From 1 to min(N, D); NaN if a value is not finite, or all are 0.
    """
    if not embeddings.isfinite().all() or not embeddings.any():
        return math.nan
    values = torch.linalg.svdvals(embeddings.double())
    shares = values / values.sum() + EPSILON
    return float((-shares * shares.log()).sum().exp())


def leave_one_out(features: Tensor, labels: Tensor, k: int, temperature: float) -> Tensor:
    """Let the nearest of the other images vote on each.

    Args:
        features (Tensor): (N, d).
        labels (Tensor): Their classes (N, ).
        k (int): Neighbours that vote; N - 1 if there are fewer.
        temperature (float): A neighbour of cosine similarity s votes with the weight exp(s / temperature).

    Returns:
        Tensor: Whether the class of each is found (N, ), bool.
    """
    features = F.normalize(features.float(), dim=1)
    right = []
    for begin in range(0, len(features), CHUNK):
        similarities = features[begin:begin + CHUNK] @ features.T
        rows = torch.arange(len(similarities))
        similarities[rows, begin + rows] = -math.inf
        nearest, places = similarities.topk(min(k, len(features) - 1), dim=1)
        votes = shares_of_votes(nearest, labels[places], int(labels.max()) + 1, temperature)
        right.append(votes.argmax(dim=1) == labels[begin:begin + CHUNK])
    return torch.cat(right)
