"""Necks: the projection MLP and LGKA."""

from lgd_mm.models.necks.lgka import LGKA
from lgd_mm.models.necks.projection import MLPProjection
from lgd_mm.models.necks.pyramid import PyramidProjection

__all__ = ['LGKA', 'MLPProjection', 'PyramidProjection']
