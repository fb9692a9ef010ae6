"""What builds on mmseg: parts of its runs in a leaner form, segmentation by names, and the linear probe.

``custom_imports`` of the configs name this package, for it imports mmseg.
"""

from lgd_mm.lean_mmseg.images_and_masks import PicturesAndMasks
from lgd_mm.lean_mmseg.iou_metric import IoUMetric
from lgd_mm.lean_mmseg.linear_head import LinearSegHead
from lgd_mm.lean_mmseg.masks import PackSegInputs, SegDataPreProcessor
from lgd_mm.lean_mmseg.zero_shot import TeacherSegmentor, ZeroShotSegmentor

__all__ = [
    'IoUMetric', 'LinearSegHead', 'PackSegInputs', 'PicturesAndMasks', 'SegDataPreProcessor', 'TeacherSegmentor',
    'ZeroShotSegmentor'
]
