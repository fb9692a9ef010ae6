"""A segmentation mask whose labels are no classes is named, not met as an assertion of the device."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from lgd_mm.errors import UserError
from lgd_mm.registry import TRANSFORMS

#: Pixels that count neither in the loss nor in the metric.
IGNORED = 255


@TRANSFORMS.register_module()
class CheckLabels(BaseTransform):
    """Compares the labels of a loaded mask with the number of classes; stands behind ``LoadAnnotations``.

    Args:
        num_classes (int): Labels are 0 to this less one, or 255.

    Raises:
        UserError: If there is another label; names the mask.
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Look at ``gt_seg_map`` (H, W) and pass everything on."""
        labels = results['gt_seg_map']
        wrong = labels[(labels >= self.num_classes) & (labels != IGNORED)]
        if wrong.size:
            shift = 1 if results.get('reduce_zero_label') else 0  # the file counts from 1
            raise UserError(
                f'{results["seg_map_path"]} has the label {int(np.min(wrong)) + shift}, but there are '
                f'{self.num_classes} classes, labels {shift} to {self.num_classes - 1 + shift} (255 is ignored): mend '
                'the mask, or set num_classes and the names of the classes')
        return results
