"""Backbones that mmpretrain's own cannot replace downstream."""

from lgd_mm.models.backbones.mobilenet_v2 import MobileNetV2
from lgd_mm.models.backbones.timm import TIMMBackbone

__all__ = ['MobileNetV2', 'TIMMBackbone']
