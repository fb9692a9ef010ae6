"""Regions of images: what a detector or a grid shows a model of vision and language, extracted once."""

from lgd_mm.engine.regions.extract import RegionExtractor

__all__ = ['RegionExtractor']
