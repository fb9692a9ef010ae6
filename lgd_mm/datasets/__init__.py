"""Pre-training images and their views, registered in ``DATASETS``, ``TRANSFORMS`` and ``DATA_SAMPLERS``."""

from lgd_mm.datasets.cached_images import CachedImages
from lgd_mm.datasets.image_folder import UnlabelledImages
from lgd_mm.datasets.labelled_images import LabelledImages
from lgd_mm.datasets.loading import LoadImage, UnreadableImage
from lgd_mm.datasets.sharded_images import ShardedImages
from lgd_mm.datasets.view_sampler import ViewSampler
from lgd_mm.datasets.views import PackView, RandomView

__all__ = [
    'CachedImages', 'LabelledImages', 'LoadImage', 'PackView', 'RandomView', 'ShardedImages', 'UnlabelledImages',
    'UnreadableImage', 'ViewSampler'
]
