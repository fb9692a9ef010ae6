"""Texts with the regions of their images."""

from lgd_mm.datasets.vl.captions import VLCaptionPretraining, VLCaptionTest, VLCaptionTraining
from lgd_mm.datasets.vl.questions import VLQuestions

__all__ = ['VLCaptionPretraining', 'VLCaptionTest', 'VLCaptionTraining', 'VLQuestions']
