"""Classifiers of few labelled images on a frozen backbone's features."""

from collections.abc import Sequence
from typing import Any

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from lgd_mm.datasets.draws import check_shot, draw_of_each_class
from lgd_mm.errors import UserError
from lgd_mm.models.classifiers.logistic import fit_logistic, unit
from lgd_mm.models.classifiers.memory import FeatureMemory
from lgd_mm.registry import MODELS


@MODELS.register_module()
class FewShotProbe(FeatureMemory):
    """Logistic regression on a few images of each class, over several draws of them.

    Its training is one pass over all labelled images with ``lgd_mm.ReadOnlyOptimWrapper``, which remembers the pooled
    features of the backbone's last output; :func:`few_shot_weights` then draws and fits. What it predicts is for
    ``lgd_mm.FewShotAccuracy``, which means over the draws.

    Args:
        backbone (dict): Any mmpretrain backbone, or ``mmpretrain.TIMMBackbone``.
        num_classes (int): Number of classes.
        shots (Sequence[int]): Numbers of images of each class. Defaults to (1, 5, 10, 20).
        draws (int): Defaults to 5.
        data_preprocessor (dict, optional): Its ``mean`` and ``std`` are the backbone's. Defaults to ImageNet's.

    Raises:
        UserError: If there is no draw, or a number of images is none.
    """

    NUMBERS = 2

    def __init__(self,
                 backbone: dict[str, Any],
                 num_classes: int,
                 shots: Sequence[int] = (1, 5, 10, 20),
                 draws: int = 5,
                 data_preprocessor: dict[str, Any] | None = None) -> None:
        super().__init__(backbone, data_preprocessor)
        check_shots(shots, draws)
        self.num_classes, self.shots, self.draws = num_classes, tuple(shots), draws
        self._weights: Tensor | None = None

    def record(self, inputs: Tensor, data_samples: list[DataSample]) -> tuple[Tensor, ...]:
        """Features in float16, labels, and the places of the images in their data set."""
        self._weights = None
        labels = torch.cat([sample.gt_label for sample in data_samples])
        return self.embed(inputs).half(), labels, labels.new_tensor([sample.sample_idx for sample in data_samples])

    def predict(self, inputs: Tensor, data_samples: list[DataSample] | None = None) -> list[DataSample]:
        """Classify images by each classifier.

        Args:
            inputs (Tensor): Normalised images (B, 3, H, W).
            data_samples (list[DataSample], optional): Filled with ``few_shot_label`` (S, D), the class by each of the
                D draws of each of the S numbers of images, and ``shots``, these numbers. Defaults to None.

        Returns:
            list[DataSample]: One for each image.

        Raises:
            UserError: If a class has fewer images than a number asks for.
        """
        if self._weights is None:
            self._weights = self._fitted()
        labels = classify(self._weights, self.embed(inputs).half())
        samples = data_samples or [DataSample() for _ in labels]
        for sample, of_one in zip(samples, labels):
            sample.set_field(of_one, 'few_shot_label', dtype=Tensor)
            sample.set_field(self.shots, 'shots', dtype=tuple)
        return samples

    def _fitted(self) -> Tensor:
        """Of what all processes have seen, in the order of the data set; a sampler may have shown some images twice."""
        if not len(self.bank[0]):
            raise UserError('lgd_mm.FewShotProbe has seen no labelled image: train it with its config first, or use '
                            'tools/evaluate_features.py --shots')
        features, labels, places = self.bank
        first = {place: number for number, place in reversed(list(enumerate(places.tolist())))}
        order = [first[place] for place in sorted(first)]
        return few_shot_weights(features[order], labels[order], self.shots, self.draws,
                                [str(label) for label in range(self.num_classes)])


def few_shot_weights(features: Tensor, labels: Tensor, shots: Sequence[int], draws: int,
                     classes: Sequence[str] | None = None) -> Tensor:
    """Fit a classifier to each draw of each number of images.

    Args:
        features (Tensor): Pooled features (N, d) of all labelled images, in the order of their data set.
        labels (Tensor): Their classes (N, ).
        shots (Sequence[int]): S numbers of images of each class.
        draws (int): Number of draws D: 0 to D - 1, see :func:`lgd_mm.datasets.draws.draw_of_each_class`.
        classes (Sequence[str], optional): Their names. Defaults to None.

    Returns:
        Tensor: Weights (S, D, C, d) of :func:`lgd_mm.models.classifiers.logistic.fit_logistic`.

    Raises:
        UserError: If a class has fewer images, or a number is out of bounds.
    """
    every, ready = labels.tolist(), unit(features)
    drawn = [[draw_of_each_class(every, number, draw, classes) for draw in range(draws)] for number in shots]
    count = max(len(classes or ()), max(every) + 1)
    return torch.stack([
        torch.stack([fit_logistic(ready[places], labels[places], count) for places in of_one]) for of_one in drawn])


def classify(weights: Tensor, features: Tensor) -> Tensor:
    """Classes by each classifier.

    Args:
        weights (Tensor): (S, D, C, d), of :func:`few_shot_weights`.
        features (Tensor): Pooled features (B, d), as those that the weights were fitted to.

    Returns:
        Tensor: (B, S, D).
    """
    return torch.stack([(unit(features) @ each.mT).argmax(dim=-1).T for each in weights], dim=1)


def check_shots(shots: Sequence[int], draws: int) -> None:
    """See that the numbers of images and of draws are ones.

    Args:
        shots (Sequence[int]): Numbers of images of each class.
        draws (int): Number of draws.

    Raises:
        UserError: If one is not, or a number is given twice.
    """
    for number in shots:
        check_shot(number)
    if len(set(shots)) < len(shots):
        raise UserError(f'shots {" ".join(map(str, shots))}: give each number of images once')
    if isinstance(draws, bool) or not isinstance(draws, int) or draws < 1:
        raise UserError(f'draws={draws!r}: give a number of draws, 1 or more')
