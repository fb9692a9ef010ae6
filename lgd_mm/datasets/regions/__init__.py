"""What detectors see of images, kept on disk: boxes, and the features at them."""

from lgd_mm.datasets.regions.regions import Regions, with_boxes
from lgd_mm.datasets.regions.same_boxes import check_same_boxes
from lgd_mm.datasets.regions.store import RegionStore

__all__ = ['RegionStore', 'Regions', 'check_same_boxes', 'with_boxes']
