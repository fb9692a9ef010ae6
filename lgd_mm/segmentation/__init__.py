"""Parts of mmseg's runs in a leaner form; ``custom_imports`` of the configs name this package, for it imports mmseg."""

from lgd_mm.segmentation.iou_metric import IoUMetric
from lgd_mm.segmentation.masks import PackSegInputs, SegDataPreProcessor
from lgd_mm.segmentation.pictures_and_masks import PicturesAndMasks

__all__ = ['IoUMetric', 'PackSegInputs', 'PicturesAndMasks', 'SegDataPreProcessor']
