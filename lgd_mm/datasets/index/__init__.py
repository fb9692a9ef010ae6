"""Where each of many images lies: found once, and shared by all processes of all runs."""

from lgd_mm.datasets.index.build import build_index
from lgd_mm.datasets.index.images import ImageIndex

__all__ = ['ImageIndex', 'build_index']
