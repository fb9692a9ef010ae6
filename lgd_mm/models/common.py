"""What models of this package share."""

import math
from typing import Any

from mmpretrain.structures import DataSample
from torch import Tensor

from lgd_mm.errors import UserError

#: ImageNet statistics, 0-255 RGB: the student keeps those of the downstream configs, the teacher re-normalises.
IMAGENET_PREPROCESSOR = dict(
    type='lgd_mm.ViewPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True)


def check_number(key: str, value: Any, least: float = 0, above: bool = False, most: float = math.inf) -> None:
    """See that a setting is a number, and neither too small nor too large.

    Args:
        key (str): Of the config, for the sentence.
        value (Any): What it is set to.
        least (float): It may be. Defaults to 0.
        above (bool): It must be above that. Defaults to False.
        most (float): It may be. Defaults to infinity.

    Raises:
        UserError: If it is not.
    """
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not number or value < least or (above and value == least) or value > most:
        bounds = f'{"above" if above else "of at least"} {least}{f" and at most {most}" if most < math.inf else ""}'
        raise UserError(f'{key} is {value!r}: it must be a number {bounds}')


def check_finite(features: Tensor) -> None:
    """See that labelled images are told by features that say something: a classifier of NaN has a class, too.

    Args:
        features (Tensor): Of images (N, d), in float16.

    Raises:
        UserError: If one is NaN, or larger than float16 holds.
    """
    broken = int((~features.isfinite()).any(dim=1).sum())
    if broken:
        raise UserError(f'the features of {broken} of {len(features)} images are not finite, or larger than float16 '
                        'holds: the weights of the student are broken, so take an earlier checkpoint')


def with_scores(scores: Tensor, data_samples: list[DataSample] | None) -> list[DataSample]:
    """Put class scores (B, C) and their best class into data samples, new ones if there are none."""
    samples = data_samples or [DataSample() for _ in scores]
    return [sample.set_pred_score(score).set_pred_label(score.argmax()) for sample, score in zip(samples, scores)]
