"""Rivals of LGD on the same slots: backbone, neck, teacher, images and schedule stay, the method changes."""

from lgd_mm.models.baselines.compress import CompRess
from lgd_mm.models.baselines.mimicking import FeatureMimicking
from lgd_mm.models.baselines.seed import SEED

__all__ = ['SEED', 'CompRess', 'FeatureMimicking']
