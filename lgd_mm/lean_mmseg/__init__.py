"""Parts of mmseg's runs in a leaner form; ``custom_imports`` of the configs name this package, for it imports mmseg."""

from lgd_mm.lean_mmseg.images_and_masks import PicturesAndMasks
from lgd_mm.lean_mmseg.iou_metric import IoUMetric
from lgd_mm.lean_mmseg.masks import PackSegInputs, SegDataPreProcessor

__all__ = ['IoUMetric', 'PackSegInputs', 'PicturesAndMasks', 'SegDataPreProcessor']
