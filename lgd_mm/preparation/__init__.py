"""Public data sets: unpacked, arranged as the configs expect, checked and repaired."""

from lgd_mm.preparation.subsets import balanced_subset

__all__ = ['balanced_subset']
