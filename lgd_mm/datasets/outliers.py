"""Images of no class, by which it is measured whether a student tells what it has never seen."""

from typing import Any

from mmcv.transforms import BaseTransform

from lgd_mm.registry import TRANSFORMS

#: In the place of a class.
OUTLIER = -1


@TRANSFORMS.register_module()
class LabelOutlier(BaseTransform):
    """Gives an image the label -1, see :class:`lgd_mm.metrics.OutlierAUROC`; its place is before the packing."""

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Set ``gt_label`` in ``results``."""
        return {**results, 'gt_label': OUTLIER}
