"""Whether images of what was never seen are farther from the training images than others are."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from lgd_mm.datasets.outliers import OUTLIER
from lgd_mm.errors import UserError
from lgd_mm.registry import METRICS


@METRICS.register_module()
class OutlierAUROC(BaseMetric):
    """How well the distance to the k-th nearest training image tells the test images from those of another data set,
    as area under the ROC curve (Sun et al. 2022, `arXiv:2204.06507 <https://arxiv.org/abs/2204.06507>`_: Euclidean
    distance of normalised features, which falls as the cosine similarity rises). It is the chance that a test image is
    nearer to the training images than an outlier is, ties counting half: 50 % is that of a coin.

    The outliers have the label -1: ``val_dataloader.dataset`` is an mmengine ``ConcatDataset`` of the test images and
    of others, whose pipeline has :class:`lgd_mm.datasets.LabelOutlier`. The model gives ``familiarity``, as
    :class:`lgd_mm.models.classifiers.KNNClassifier` does. In the paper k is 1,000 for the 1.3 million images of
    ImageNet, and 50 for the 50,000 of CIFAR-10.

    Logs ``outliers/auroc`` in percent.
    """

    default_prefix = 'outliers'

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep how near each image is to the training images, and whether it is an outlier."""
        for sample in data_samples:
            if 'familiarity' not in sample or 'gt_label' not in sample:
                raise UserError('lgd_mm.OutlierAUROC needs the similarity of the k-th training image, and a label of '
                                'each image: test labelled images by an lgd_mm.KNNClassifier')
            self.results.append((float(sample['familiarity']), int(sample['gt_label']) == OUTLIER))

    def compute_metrics(self, results: list[tuple[float, bool]]) -> dict[str, float]:
        """The area under the curve.

        Args:
            results (list[tuple[float, bool]]): Similarity, and whether an image is an outlier.

        Returns:
            dict[str, float]: ``auroc`` in percent.

        Raises:
            UserError: If all images are outliers, or none is.
        """
        familiarity, outlier = map(torch.tensor, zip(*results))
        if outlier.all() or not outlier.any():
            raise UserError(f'{"all" if outlier.all() else "none"} of the {len(outlier)} images of val_dataloader are '
                            'outliers: give it a ConcatDataset of test images and of others, whose pipeline has '
                            'lgd_mm.LabelOutlier')
        return dict(auroc=100 * outlier_auroc(familiarity[~outlier], familiarity[outlier]))


def outlier_auroc(known: Tensor, outliers: Tensor) -> float:
    """Area under the ROC curve, see :class:`OutlierAUROC`; computed by ``torchmetrics``.

    Args:
        known (Tensor): Cosine similarities (N, ) of test images to their k-th nearest training image.
        outliers (Tensor): Those of outliers (M, ).

    Returns:
        float: 0 to 1; NaN if a similarity is not finite.
    """
    from torchmetrics.functional.classification import binary_auroc  # takes seconds
    similarities = torch.cat([known, outliers]).double()
    if not similarities.isfinite().all():
        return float('nan')
    truth = torch.cat([torch.ones(len(known)), torch.zeros(len(outliers))]).int()
    # It takes what is not within 0 and 1 for logits; rounding puts cosines a little beyond 1, where they still differ.
    return float(binary_auroc((2 + similarities) / 4, truth))
