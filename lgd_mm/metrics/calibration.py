"""Whether a classifier is right as often as it says."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.evaluator import BaseMetric
from torch import Tensor

from lgd_mm.errors import UserError
from lgd_mm.registry import METRICS

#: The largest number of float64 below 1.
BELOW_ONE = 1 - 2**-53


@METRICS.register_module()
class CalibrationError(BaseMetric):
    """Expected calibration error of a classifier's best class (Guo et al. 2017, `arXiv:1706.04599
    <https://arxiv.org/abs/1706.04599>`_): images are put into bins of equal width by the probability of their predicted
    class, and the distance of mean probability and accuracy of each bin is weighed by its share of the images. Computed
    by ``torchmetrics`` (``multiclass_calibration_error``, ``norm='l1'``).

    The probabilities are the classifier's ``pred_score``: of a head those of its softmax, of k-NN the shares of the
    votes, and of :class:`lgd_mm.models.ZeroShotClassifier` the softmax of cosine similarities divided by 0.01, CLIP's
    temperature, whatever that of the student's training was. Another temperature is the same accuracy and another
    error.

    Logs ``calibration/ece`` in percent; 0 is perfect.

    Args:
        bins (int): Defaults to 15.
        **kwargs (Any): Of :class:`mmengine.evaluator.BaseMetric`.

    Raises:
        UserError: If there is not at least one bin.
    """

    default_prefix = 'calibration'

    def __init__(self, bins: int = 15, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if type(bins) is not int or bins < 1:
            raise UserError(f'bins of lgd_mm.CalibrationError is {bins!r}: it is a number of at least 1')
        self.bins = bins

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep the probability of each image's predicted class, and whether it is the right one."""
        for sample in data_samples:
            if 'pred_score' not in sample:
                raise UserError('lgd_mm.CalibrationError needs the probabilities of a classifier (pred_score), and the '
                                'model of this config gives none')
            score: Tensor = sample['pred_score'].detach().float().cpu()
            if score.isfinite().all() and ((score < 0).any() or abs(float(score.sum()) - 1) > 1e-2):
                raise UserError('lgd_mm.CalibrationError needs probabilities of classes, of which an image has one: '
                                f'they sum to 1, and those of the model to {float(score.sum()):.3g}')
            self.results.append((float(score.max()), int(score.argmax()) in sample['gt_label'].tolist()))

    def compute_metrics(self, results: list[tuple[float, bool]]) -> dict[str, float]:
        """The error of all images.

        Args:
            results (list[tuple[float, bool]]): Probability, and whether the class is right.

        Returns:
            dict[str, float]: ``ece`` in percent.
        """
        confidences, correct = map(torch.tensor, zip(*results))
        return dict(ece=100 * calibration_error(confidences, correct, self.bins))


def calibration_error(confidences: Tensor, correct: Tensor, bins: int = 15) -> float:
    """Expected calibration error, see :class:`CalibrationError`.

    Args:
        confidences (Tensor): Probabilities of the predicted classes (N, ), in 0 to 1.
        correct (Tensor): Whether these are right (N, ), bool.
        bins (int): Of equal width. Defaults to 15.

    Returns:
        float: 0 to 1; NaN if a probability is, as of a model that has diverged.
    """
    if not confidences.isfinite().all():
        return float('nan')
    from torchmetrics.functional.classification import binary_calibration_error  # takes seconds
    # torchmetrics would give what is exactly 1, as the votes of k-NN often are, a bin of its own behind the last one.
    inside = confidences.double().clamp(0, BELOW_ONE)
    return float(binary_calibration_error(inside, correct.int(), n_bins=bins, norm='l1'))
