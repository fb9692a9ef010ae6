"""Necks: the projection MLP and LGKA."""

from lgd_mm.models.necks.fpn_projection import FPNProjection
from lgd_mm.models.necks.lgka import LGKA
from lgd_mm.models.necks.mean_pooling import MeanPooling
from lgd_mm.models.necks.projection import MLPProjection
from lgd_mm.models.necks.pyramid import PyramidProjection
from lgd_mm.models.necks.simple_pyramid import SimpleFeaturePyramid

__all__ = [
    'LGKA', 'FPNProjection', 'MLPProjection', 'MeanPooling', 'PyramidProjection', 'SimpleFeaturePyramid'
]
