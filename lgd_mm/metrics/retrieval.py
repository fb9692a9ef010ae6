"""Whether the images most similar to an image are of its class."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.device import get_device
from mmengine.evaluator import BaseMetric
from torch import Tensor

from lgd_mm.datasets.outliers import OUTLIER
from lgd_mm.errors import UserError
from lgd_mm.registry import METRICS

#: Similarities that are sorted at a time; each takes 13 bytes, and the sort as much again.
BLOCK = 2**24


@METRICS.register_module()
class RetrievalMAP(BaseMetric):
    """Mean average precision of image retrieval: each test image asks all others of the test set, which are sorted by
    the cosine similarity of their features, and those of its class are relevant. See :func:`retrieval_map`. Outliers
    (label -1) take no part.

    Logs ``retrieval/mAP`` in percent. The model gives ``feature``, as :class:`lgd_mm.models.classifiers.KNNClassifier`
    does.
    """

    default_prefix = 'retrieval'

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep the feature of each image, in float16, and its class."""
        for sample in data_samples:
            if 'feature' not in sample or 'gt_label' not in sample:
                raise UserError('lgd_mm.RetrievalMAP needs features and one label of each image: test labelled images '
                                'by an lgd_mm.KNNClassifier')
            self.results.append((sample['feature'].half().cpu(), int(sample['gt_label'])))

    def compute_metrics(self, results: list[tuple[Tensor, int]]) -> dict[str, float]:
        """The mean over all images.

        Args:
            results (list[tuple[Tensor, int]]): Features (d, ) and classes.

        Returns:
            dict[str, float]: ``mAP`` in percent.

        Raises:
            UserError: If all images are outliers, or no class has two images.
        """
        asked = [result for result in results if result[1] != OUTLIER]
        if not asked:
            raise UserError(f'all {len(results)} images of val_dataloader are outliers, which are not sought: give '
                            'test images of classes')
        features, labels = zip(*asked)
        return dict(mAP=100 * retrieval_map(torch.stack(features), torch.tensor(labels)))


def retrieval_map(features: Tensor, labels: Tensor) -> float:
    """Mean average precision, each image being asked against all others.

    The average precision of a query is the mean, over the images of its class, of the precision among all that are at
    least as similar (Manning et al., Introduction to Information Retrieval, 2008, Sec. 8.4), of the whole ranking and
    without interpolation; of equal similarities the image that comes first ranks first. Images that are alone in their
    class ask nothing.

    Args:
        features (Tensor): (N, d), of any length and floating type.
        labels (Tensor): Classes (N, ).

    Returns:
        float: 0 to 1; NaN if a feature is not finite.

    Raises:
        UserError: If no class has two images.
    """
    device = get_device()
    features, labels = F.normalize(features.float(), dim=1).to(device), labels.to(device)
    if not features.isfinite().all():
        return float('nan')
    count = len(labels)
    _, groups, sizes = labels.unique(return_inverse=True, return_counts=True)
    queries = (sizes[groups] > 1).nonzero().flatten()
    if not len(queries):
        raise UserError('no class of the test images has two of them, and an image is sought by another one of its '
                        'class: give more')
    ranks = torch.arange(1, count, device=device)
    precisions = []
    for asking in queries.split(max(BLOCK // count, 1)):
        similarities = features[asking] @ features.T
        similarities[torch.arange(len(asking), device=device), asking] = -torch.inf  # the image itself comes last
        order = similarities.argsort(dim=1, descending=True, stable=True)[:, :-1]
        relevant = labels[order] == labels[asking, None]
        precisions.append((relevant.cumsum(dim=1) / ranks * relevant).sum(dim=1) / relevant.sum(dim=1))
    return torch.cat(precisions).double().mean().item()
