"""Weighted k-nearest-neighbour classification on a frozen backbone's features."""

from typing import Any

import torch
import torch.nn.functional as F
from mmpretrain.structures import DataSample
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.models.classifiers.memory import FeatureMemory
from lgd_mm.models.common import check_number, with_scores
from lgd_mm.registry import MODELS

#: Images of the bank that a batch is compared with at a time: 256 x 65,536 similarities take 64 MiB.
CHUNK = 65536


@MODELS.register_module()
class KNNClassifier(FeatureMemory):
    """Lets the nearest training images vote (`Wu et al. 2018 <https://arxiv.org/abs/1805.01978>`_, with the settings
    of DINO, `arXiv:2104.14294 <https://arxiv.org/abs/2104.14294>`_).

    Its training is one pass over the training images with ``lgd_mm.ReadOnlyOptimWrapper``: it learns nothing and only
    remembers the normalised, pooled features of the backbone's last output. A neighbour of cosine similarity s votes
    for its class with the weight exp(s / temperature).

    Args:
        backbone (dict): Any mmpretrain backbone, or ``mmpretrain.TIMMBackbone``.
        num_classes (int): Number of classes.
        k (int): Neighbours that vote. Defaults to 20.
        temperature (float): Defaults to 0.07.
        data_preprocessor (dict, optional): Its ``mean`` and ``std`` are the backbone's. Defaults to ImageNet's.
    """

    def __init__(self,
                 backbone: dict[str, Any],
                 num_classes: int,
                 k: int = 20,
                 temperature: float = 0.07,
                 data_preprocessor: dict[str, Any] | None = None) -> None:
        super().__init__(backbone, data_preprocessor)
        self.num_classes, self.k, self.temperature = num_classes, k, temperature

    def embed(self, inputs: Tensor) -> Tensor:
        """Normalised features (B, d) of normalised images (B, 3, H, W)."""
        return F.normalize(super().embed(inputs), dim=1)

    def record(self, inputs: Tensor, data_samples: list[DataSample]) -> tuple[Tensor, ...]:
        """Features and labels."""
        return self.embed(inputs).half(), torch.cat([sample.gt_label for sample in data_samples])

    def predict(self, inputs: Tensor, data_samples: list[DataSample] | None = None) -> list[DataSample]:
        """Classify images.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).
            data_samples (list[DataSample], optional): Filled with ``pred_score`` (C, ), which sums to one,
                ``pred_label``, ``feature`` (d, ) and ``familiarity``, the cosine similarity of the k-th neighbour.
                Defaults to None.

        Returns:
            list[DataSample]: One for each image.

        Raises:
            UserError: If fewer than k training images were seen.
        """
        features = self.embed(inputs)
        bank, labels = self.bank
        similarities, classes = nearest(features, bank, labels, self.k)
        samples = with_scores(shares_of_votes(similarities, classes, self.num_classes, self.temperature), data_samples)
        for sample, feature, familiarity in zip(samples, features, similarities[:, -1]):
            sample.set_field(feature, 'feature')
            sample.set_field(familiarity, 'familiarity')
        return samples


def vote(queries: Tensor, bank: Tensor, labels: Tensor, num_classes: int, k: int, temperature: float) -> Tensor:
    """Let the nearest images of a bank vote.

    Args:
        queries (Tensor): Normalised features (B, d), float32.
        bank (Tensor): Normalised features (N, d) of the training images, float16 or float32.
        labels (Tensor): Their classes (N, ).
        num_classes (int): Number of classes C.
        k (int): Neighbours that vote.
        temperature (float): A neighbour of similarity s votes with the weight exp(s / temperature).

    Returns:
        Tensor: Shares of the votes (B, C), which sum to one.

    Raises:
        UserError: If the bank holds fewer than k images.
    """
    return shares_of_votes(*nearest(queries, bank, labels, k), num_classes, temperature)


def nearest(queries: Tensor, bank: Tensor, labels: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Find the nearest images of a bank.

    Args:
        queries (Tensor): Normalised features (B, d), float32.
        bank (Tensor): Normalised features (N, d) of the training images, float16 or float32.
        labels (Tensor): Their classes (N, ).
        k (int): How many are sought.

    Returns:
        tuple[Tensor, Tensor]: Cosine similarities and classes (B, k), the nearest first.

    Raises:
        UserError: If the bank holds fewer than k images, or k is no number of some.
    """
    check_number('model.k', k, least=1)
    if len(bank) < k:
        raise UserError(f'model.k={k} neighbours are asked to vote, but there are only {len(bank)} training images: '
                        'give --cfg-options model.k=N')
    similarities, nearest_labels = queries.new_empty(len(queries), 0), labels.new_empty(len(queries), 0)
    for features, classes in zip(bank.split(CHUNK), labels.split(CHUNK)):
        # Products in float32: float16 cannot tell near neighbours apart.
        similarities = torch.cat([similarities, queries @ features.float().T], dim=1)
        nearest_labels = torch.cat([nearest_labels, classes.expand(len(queries), -1)], dim=1)
        similarities, positions = similarities.topk(min(k, similarities.shape[1]), dim=1)
        nearest_labels = nearest_labels.gather(1, positions)
    return similarities, nearest_labels


def shares_of_votes(similarities: Tensor, classes: Tensor, num_classes: int, temperature: float) -> Tensor:
    """What the neighbours of each query vote for.

    Args:
        similarities (Tensor): Of B queries with their k neighbours, cosine (B, k).
        classes (Tensor): Of the neighbours (B, k).
        num_classes (int): Number of classes C.
        temperature (float): A neighbour of similarity s votes with the weight exp(s / temperature).

    Returns:
        Tensor: (B, C), each row sums to one.
    """
    votes = similarities.new_zeros(len(similarities), num_classes)
    votes.scatter_add_(1, classes, ((similarities - 1) / temperature).exp())
    return votes / votes.sum(dim=1, keepdim=True)
