"""Augmented views: drawn as a handful of numbers, then applied on the CPU or, in batches, on the device."""

from lgd_mm.datasets.views.crops import Crops
from lgd_mm.datasets.views.transforms import PackView, RandomView
from lgd_mm.datasets.views.view import View

__all__ = ['Crops', 'PackView', 'RandomView', 'View']
