"""What models of this package share."""

from mmpretrain.structures import DataSample
from torch import Tensor

#: ImageNet statistics, 0-255 RGB: the student keeps those of the downstream configs, the teacher re-normalises.
IMAGENET_PREPROCESSOR = dict(
    type='lgd_mm.ViewPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)


def with_scores(scores: Tensor, data_samples: list[DataSample] | None) -> list[DataSample]:
    """Put class scores (B, C) and their best class into data samples, new ones if there are none."""
    samples = data_samples or [DataSample() for _ in scores]
    return [sample.set_pred_score(score).set_pred_label(score.argmax()) for sample, score in zip(samples, scores)]
