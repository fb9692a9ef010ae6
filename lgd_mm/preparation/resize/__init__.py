"""Copies of images with a smaller short side."""

from lgd_mm.preparation.resize.folder import resize_dataset

__all__ = ['resize_dataset']
